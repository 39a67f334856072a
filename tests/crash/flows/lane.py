"""One store and who runs its flows: a run is begun, somebody is killed, and it is seen to its end.

What is done after the kill is what a deployment does: whatever was killed is started again, as
systemd does it, and the automation and the reclaim do the rest. Nobody helps the run itself, except
where it failed: then the next one is begun, as the schedule would begin it.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound

from memtend.errors import MemtendError
from memtend.limits_flows import AGAIN_MAX
from memtend_tasks.opened import store_label
from memtend_tasks.turn import turn_name
from tests.crash.flows.host import FLOWS
from tests.crash.flows.processes import Database, Program, Server, send
from tests.crash.flows.stage import Batch, Stage, prepare, progress, wrong

T = TypeVar("T")

END_S_MAX = 900
LOOK_S = 0.4
RUNS_MAX = 3
AWAY_S = 8.0
USUAL_S = 4.0
EARLY = 0.15  # the share of kills that may come before a run has begun
VICTIMS = ("run", "worker", "machine", "server", "database")
"""A worker without the runs below it; a machine is both; the last two are of all lanes."""
GIVEN: dict[str, dict[str, Any]] = {
    "sweep": {"dry_run": False},
    "archive": {"dry_run": False},
    "prune": {"dry_run": False, "ask": False},
    "backup": {"why": "a test"},
}


class Kill(NamedTuple):
    """What was killed when, and what came of it. `done` of `rows` was the work at that time."""

    lane: str
    flow: str
    victim: str
    state: str
    after_s: float
    done: int
    rows: int
    ends: tuple[str, ...]
    begun: int
    whole_s: float
    wrong: tuple[str, ...]


class Shared(NamedTuple):
    """What all lanes rest on. One kills it at a time; the others see what comes of that."""

    server: Server
    database: Database
    lock: Lock

    def kill(self, victim: str, away_s: float) -> None:
        with self.lock:
            if victim == "server":
                self.server.kill(below_too=True)
            else:
                self.database.kill()
            time.sleep(away_s)
            (self.server if victim == "server" else self.database).start()


class Lane:
    """`pool`: a worker of a pool runs what is due; else the runner of `memtend serve` does."""

    def __init__(self, name: str, stage: Stage, shared: Shared, folder: Path, *, pool: bool):
        self.name, self.stage, self._shared = name, stage, shared
        worker = ("prefect", "worker", "start", "--pool", name, "--type", "process")
        module = worker if pool else ("tests.crash.flows.host", name)
        env = shared.server.env | stage.env
        self.host = Program(*module, env=env, log=folder / f"{name}.log")
        self._dice = random.Random(name)
        self._usual_s: dict[str, float] = {}
        self._batches = 0
        self._client = get_client(sync_client=True)
        self.wrong: list[str] = []

    def kill(self, flow: str, victim: str) -> Kill | None:
        """Kill somebody at a random moment of a run; None where the run was over by then.

        A run that was over has shown how long one takes, and that its work is seen to be done.
        """
        batch = self._batch(flow)
        run = self._start(flow)
        early = self._dice.random() < EARLY
        self._until(run, has_been_taken if early else has_begun)
        began = time.monotonic()
        time.sleep(self._dice.random() * self._usual_s.get(flow, USUAL_S))
        at = self._until(run, lambda _: True)
        if is_over(at):
            self._usual_s[flow] = usual_s(at)
            self.wrong += self._through(batch, run)[2]
            return None
        after_s = time.monotonic() - began
        self._hit(victim)
        done = tried(lambda: progress(self.stage, batch, [run]))
        if not self.host.alive:
            self.host.start()
        began = time.monotonic()
        ends, begun, found = self._through(batch, run)
        return Kill(
            lane=self.name, flow=flow, victim=victim, state=str(at.state_name),
            after_s=round(after_s, 2), done=done, rows=batch.rows, ends=ends, begun=begun,
            whole_s=round(time.monotonic() - began, 1), wrong=found,
        )  # fmt: skip

    def _through(self, batch: Batch, run: str) -> tuple[tuple[str, ...], int, tuple[str, ...]]:
        runs, ends, begun = [run], list[str](), 0
        while True:
            seen = self._until(runs[-1], is_settled)
            ends.append(str(seen.state_name))
            begun += seen.run_count
            if ends[-1] == "Completed" or len(runs) > RUNS_MAX:
                break
            runs.append(self._start(batch.flow))
        return tuple(ends), begun, tuple(tried(lambda: wrong(self.stage, batch, runs)))

    def _batch(self, flow: str) -> Batch:
        self._batches += 1
        return tried(lambda: prepare(self.stage, flow, f"{flow[0]}{self._batches}"))

    def _hit(self, victim: str) -> None:
        if victim == "run":
            for child in self.host.runs():
                send(child, signal.SIGKILL)
        elif victim in ("worker", "machine"):
            self.host.kill(below_too=victim == "machine")
        else:
            self._shared.kill(victim, AWAY_S * self._dice.random())

    def _start(self, flow: str) -> str:
        def start() -> str:
            known = self._client.read_deployment_by_name(f"{FLOWS[flow].name}/{self.name}")
            run = self._client.create_flow_run_from_deployment(known.id, parameters=GIVEN[flow])
            return str(run.id)

        return tried(start)

    def _until(self, run: str, seen: Callable[[FlowRun], bool]) -> FlowRun:
        def read() -> FlowRun:
            return self._client.read_flow_run(UUID(run))

        deadline = time.monotonic() + END_S_MAX
        while not seen(at := tried(read)):
            assert time.monotonic() < deadline, f"{self.name}: {run} is {at.state_name}"
            time.sleep(LOOK_S)
            if not self.host.alive:
                self.host.start()
        return at


def free_turn() -> None:
    """Give back the turn of a run that was killed, which a server does when it has run out: a test
    server does not look."""
    with suppress(ObjectNotFound):  # no run came so far
        set_turn(store_label("default"), taken=False)


def set_turn(label: str, *, taken: bool) -> None:
    """As a process leaves it that was killed, or as nobody has it."""
    slots = GlobalConcurrencyLimitUpdate(active_slots=int(taken))
    with get_client(sync_client=True) as client:
        client.update_global_concurrency_limit(turn_name(label), slots)


def has_been_taken(run: FlowRun) -> bool:
    return run.state is not None and not run.state.is_scheduled()


def has_begun(run: FlowRun) -> bool:
    return has_been_taken(run) and not (run.state is not None and run.state.is_pending())


def usual_s(run: FlowRun) -> float:
    return max(1.0, run.total_run_time.total_seconds())


def is_over(run: FlowRun) -> bool:
    return run.state is not None and run.state.is_final()


def is_settled(run: FlowRun) -> bool:
    """Over, and nothing begins it again."""
    crashed = run.state is not None and run.state.is_crashed()
    return is_over(run) and (not crashed or run.run_count > AGAIN_MAX)


def tried(work: Callable[[], T]) -> T:
    """What somebody does who is told that server or database are away just now."""
    deadline = time.monotonic() + END_S_MAX
    while True:
        try:
            return work()
        except (httpx.HTTPError, MemtendError, RuntimeError):
            assert time.monotonic() < deadline
            time.sleep(1.0)
