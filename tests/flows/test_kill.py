"""kill -9 of a run at a random moment: it is reclaimed, begins again, and each effect comes once.

Here each flow is killed once; with `--every-point` ten times. What kills came to, of workers,
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
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from prefect import settings
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.deployments.runner import RunnerDeployment
from prefect.flow_engine import run_flow
from prefect.states import AwaitingRetry, Completed, Crashed, Running
from prefect.types.entrypoint import EntrypointType

from memtend_flows.reclaim import reclaim as reclaim_flow
from memtend_flows.schedules import TAGS
from memtend_flows.tend import tend
from memtend_tasks import reclaim
from memtend_tasks.opened import store_label
from memtend_tasks.turn import store_turn, turn_name
from tests.crash.flows.host import FLOWS, deployments
from tests.crash.flows.lane import free_turn, set_turn
from tests.crash.flows.stage import Stage, at_the_end, begin, noted, prepare, wrong
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


def test_a_run_takes_one_backup_however_often_it_begins(stage: Stage) -> None:
    """Its note names the run, and that is looked for."""
    run = started("backup")
    run_flow(FLOWS["backup"], flow_run=read(run))
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run, AwaitingRetry())
    run_flow(FLOWS["backup"], flow_run=read(run))
    assert (read(run).run_count, len(noted(stage, [str(run)]))) == (2, 1)
    with stage.opened() as services:
        assert len(services.backups().backups) == 1


def test_a_cycle_that_was_killed_begins_again(stage: Stage) -> None:
    """`tend` runs other flows: those that were done have nothing to do, and its backup is found."""
    batch = prepare(stage, "sweep", "cycle")
    cycle = RunnerDeployment.from_flow(
        tend, name=LANE, tags=list(TAGS), entrypoint_type=EntrypointType.MODULE_PATH
    )
    cycle.apply()
    run = started("tend")
    assert killed(run, 0, until=lambda: bool(noted(stage, [str(run)]))) == "Running"
    assert reclaim.reclaim_runs.fn(silent_s=0, after_s=3_600).crashed
    assert reclaim.reclaim_runs.fn(after_s=0).again
    run_flow(tend, flow_run=read(run))
    assert (read(run).state_name, read(run).run_count) == ("Completed", 2)
    assert wrong(stage, batch, []) == []
    assert len(noted(stage, [str(run)])) == 1


def test_a_turn_that_nobody_can_be_holding_is_given_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reclaim, "BEGIN_S", -1)
    label = store_label("default")
    name = turn_name(label)
    with store_turn(label), get_client(sync_client=True) as client:
        set_turn(label, taken=True)
        run = started("sweep")
        client.set_flow_run_state(run, Running(), force=True)
        assert reclaim.reclaim_runs.fn().freed == ()
        client.set_flow_run_state(run, Completed(), force=True)
        assert name in reclaim.reclaim_runs.fn(silent_s=0).freed
        assert client.read_global_concurrency_limit_by_name(name).active_slots == 0


def test_the_flow_looks_after_what_is_on_the_server(stage: Stage) -> None:
    run = started("sweep")
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run, Crashed(), force=True)
    assert str(run) not in str(reclaim_flow()), "it may still be heard"
    assert read(run).state_name == "Crashed"


def started(flow: str) -> UUID:
    given: dict[str, object] = {} if flow == "backup" else {"dry_run": False}
    with get_client(sync_client=True) as client:
        known = client.read_deployment_by_name(f"{flow}/{LANE}")
        return client.create_flow_run_from_deployment(known.id, parameters=given).id


def killed(run: UUID, after_s: float, until: Callable[[], bool] = lambda: True) -> str:
    """Execute a run in a process of its own, and kill that; what the server says then."""
    env = {**os.environ, "PREFECT_API_URL": str(settings.PREFECT_API_URL.value())}
    process = subprocess.Popen([sys.executable, "-c", RUN, str(run)], env=env)
    try:
        eventually(lambda: read(run).state_name in ("Running", "Completed"))
        eventually(until)
        time.sleep(after_s)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    free_turn()
    return str(read(run).state_name)


def read(run: UUID) -> FlowRun:
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run)
