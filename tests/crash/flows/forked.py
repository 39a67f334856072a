"""Program: the same kills without runner and worker, for a machine that has no time to start them.

usage: forked LANE KILLS REPORT SEED      under PREFECT_API_URL, where the lane has deployments

Each run is a process forked from this one and is killed at a random moment. This one does what a
runner does: it says *Crashed*. Then the reclaim lets the run begin again. What the dead hold in the
store and its targets runs out in seconds instead of minutes, and their turn at once.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.flow_engine import run_flow
from prefect.states import Crashed

from memtend.backup import lease
from memtend.serving import base
from memtend_tasks.reclaim import reclaim_runs
from tests.crash.flows.host import FLOWS
from tests.crash.flows.lane import GIVEN, Kill, free_turn, has_begun, is_over
from tests.crash.flows.stage import Stage, at_the_end, begin, prepare, progress, wrong

LOOK_S = 0.1
USUAL_S = 10.0
LEASE_MS = 15_000


class Forked:
    """One store, and its runs one after the other."""

    def __init__(self, lane: str, stage: Stage, seed: str) -> None:
        self.lane, self.stage = lane, stage
        self._client = get_client(sync_client=True)
        self._dice = random.Random(f"{lane} {seed}")
        self._usual_s: dict[str, float] = {}
        self._seed, self._batches = seed, 0

    def kill(self, flow: str) -> Kill | None:
        """None where the run was over by then: that shows how long one takes."""
        self._batches += 1
        batch = prepare(self.stage, flow, f"{flow[0]}{self._seed}{self._batches}")
        run = self._planned(flow)
        child, began = self._fork(flow, run), time.monotonic()
        moment = self._dice.random() * self._usual_s.get(flow, USUAL_S)
        while time.monotonic() - began < moment:
            if os.waitpid(child, os.WNOHANG)[0]:
                self._usual_s[flow] = time.monotonic() - began
                return None
            time.sleep(0.02)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        at, after_s = self._read(run), time.monotonic() - began
        done = progress(self.stage, batch, [str(run)])
        if is_over(at):
            return None
        began = time.monotonic()
        self._say_crashed(run)
        while self._read(run).state_name != "AwaitingRetry":
            reclaim_runs.fn(after_s=0)
            time.sleep(LOOK_S)
        child = self._fork(flow, run)
        os.waitpid(child, 0)
        ended = self._read(run)
        return Kill(
            lane=self.lane, flow=flow, victim="run", state=str(at.state_name),
            after_s=round(after_s, 2), done=done, rows=batch.rows,
            ends=(str(ended.state_name),), begun=ended.run_count,
            whole_s=round(time.monotonic() - began, 1),
            wrong=tuple(wrong(self.stage, batch, [str(run)])),
        )  # fmt: skip

    def _planned(self, flow: str) -> UUID:
        known = self._client.read_deployment_by_name(f"{flow}/{self.lane}")
        return self._client.create_flow_run_from_deployment(known.id, parameters=GIVEN[flow]).id

    def _fork(self, flow: str, run: UUID) -> int:
        planned = self._read(run)
        child = os.fork()
        if child == 0:
            try:
                run_flow(FLOWS[flow], flow_run=planned, return_type="state")
            finally:
                os._exit(0)
        return child

    def _say_crashed(self, run: UUID) -> None:
        with_code: State[None] = Crashed(message="Process exited with status code: -9.")
        self._client.set_flow_run_state(run, with_code, force=not has_begun(self._read(run)))
        free_turn()

    def _read(self, run: UUID) -> FlowRun:
        return self._client.read_flow_run(run)


def main(lane: str, kills: int, report: Path, seed: str) -> None:
    for module, name in ((base, "MAINTENANCE_LEASE_MS"), (lease, "REPOSITORY_LEASE_MS")):
        setattr(module, name, LEASE_MS)
    stage = Stage(os.environ["MEMTEND_STORE_URL"], Path(os.environ["MEMTEND_ARCHIVE_URL"]).parent)
    begin(stage)
    forked, made = Forked(lane, stage, seed), 0
    while made < kills:
        for flow in FLOWS:
            kill = forked.kill(flow)
            if kill is not None and made < kills:
                made += 1
                with report.open("a") as lines:
                    lines.write(json.dumps(kill._asdict()) + "\n")
                print(time.strftime("%H:%M:%S"), kill, file=sys.stderr, flush=True)
    print(json.dumps({"lane": lane, "kills": made, "wrong": at_the_end(stage)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
