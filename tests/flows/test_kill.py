"""kill -9 of a run at a random moment: it is reclaimed, begins again, and each effect comes once.

Here each flow is killed once; with `--every-point` ten times. What sixty kills came to, of workers,
machines, the server and the database too, is written down in docs/design/failure-model.md:
`python -m tests.crash.flows.record 60 REPORT 6` does it again.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import pytest
from prefect import settings
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.flow_engine import run_flow

from memtend_tasks import reclaim
from tests.crash.flows.host import FLOWS, deployments
from tests.crash.flows.stage import Stage, at_the_end, begin, prepare, wrong
from tests.flows.seen import eventually

MOMENT_S = 1.5
LANE = "killed"
RUN = """
import runpy, sys
from memtend.backup import lease
from memtend.serving import base
base.MAINTENANCE_LEASE_MS = lease.REPOSITORY_LEASE_MS = 2_000
lease.REPOSITORY_SKEW_MS = 200
runpy.run_module("prefect.engine", run_name="__main__")
"""
"""A run as a runner starts it; what it holds runs out soon, so that the test need not wait."""


@pytest.fixture
def stage(prefect: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage(f"sqlite:///{tmp_path}/store.db", tmp_path)
    for name, text in made.env.items():
        monkeypatch.setenv(name, text)
    begin(made)
    for one in deployments(LANE):
        one.apply()
    return made


@pytest.mark.parametrize("flow", FLOWS)
def test_killed_at_a_random_moment(
    flow: str, stage: Stage, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reclaim, "BEGIN_S", 0)
    every = request.config.getoption("--every-point", False)
    for turn in range(10 if every else 1):
        dice = random.Random(f"{flow} {turn}")
        batch = prepare(stage, flow, f"b{turn}")
        run = started(flow)
        state = killed(run, dice.random() * MOMENT_S)
        assert state in ("Running", "Completed")
        if state == "Running":
            found = reclaim.reclaim_runs.fn(silent_s=0, after_s=3_600)
            assert found.crashed
            found = reclaim.reclaim_runs.fn(after_s=0)
            assert found.again
            assert read(run).state_name == "AwaitingRetry"
            run_flow(FLOWS[flow], flow_run=read(run))
        ended = read(run)
        assert (ended.state_name, ended.run_count) == ("Completed", 1 + (state == "Running"))
        assert wrong(stage, batch, [str(run)]) == []
    assert at_the_end(stage) == []


def started(flow: str) -> UUID:
    given: dict[str, object] = {} if flow == "backup" else {"dry_run": False}
    with get_client(sync_client=True) as client:
        known = client.read_deployment_by_name(f"{flow}/{LANE}")
        return client.create_flow_run_from_deployment(known.id, parameters=given).id


def killed(run: UUID, after_s: float) -> str:
    """Execute a run in a process of its own, and kill that; what the server says then."""
    env = {**os.environ, "PREFECT_API_URL": str(settings.PREFECT_API_URL.value())}
    process = subprocess.Popen([sys.executable, "-c", RUN, str(run)], env=env)
    try:
        eventually(lambda: read(run).state_name in ("Running", "Completed"))
        time.sleep(after_s)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    return str(read(run).state_name)


def read(run: UUID) -> FlowRun:
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run)
