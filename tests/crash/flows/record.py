"""Driver: kill at random moments of sweeps, backups, archives and prunes; each effect comes once.

usage: record KILLS REPORT LANES

Every lane has a store of its own, on SQLite or PostgreSQL, and a runner or a worker; all of them
share one Prefect server and one cluster. The server keeps its books in a cluster of its own, as
`docs/howto/scale.md` advises for several workers. What is killed is a run's process, its worker,
both at once, the server, or the database. The report is JSON: a line for each kill.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Lock, Thread
from typing import NamedTuple

import httpx

from tests.crash.flows.lane import VICTIMS, Kill, Lane, Shared
from tests.crash.flows.processes import Database, Server, server_environment
from tests.crash.flows.stage import Stage, at_the_end, begin

FLOWS = ("sweep", "backup", "archive", "prune")
SHARES = {"run": 6, "worker": 3, "machine": 2, "server": 1, "database": 3}
RECLAIM_EVERY_S = 10.0
BOOKS = "PREFECT_SERVER_DATABASE_CONNECTION_URL"


class Job(NamedTuple):
    flow: str
    victim: str


class Kind(NamedTuple):
    """Of a lane: which engine keeps its store, and who runs its flows."""

    name: str
    postgres: bool
    pool: bool


LANES = (
    Kind("lite-a", False, False), Kind("post-a", True, False), Kind("lite-pool", False, True),
    Kind("post-b", True, False), Kind("lite-b", False, False), Kind("post-pool", True, True),
)  # fmt: skip


def jobs(kills: int) -> list[Job]:
    """Each flow with each victim in proportion, in any order."""
    round_ = [
        Job(flow, victim)
        for victim in VICTIMS
        for turn in range(SHARES[victim])
        for flow in FLOWS[turn % 4 :] + FLOWS[: turn % 4]
    ]
    step = max(1, len(round_) // max(1, kills))
    many = (round_[::step] if kills < len(round_) else round_) * (1 + kills // len(round_))
    chosen = many[:kills]
    random.Random(kills).shuffle(chosen)
    return chosen


@contextmanager
def running(folder: Path, names: tuple[Kind, ...]) -> Iterator[list[Lane]]:
    books, database = Database(), Database()
    server = Server(dict(os.environ) | {BOOKS: books.url("postgres").replace("://", "+asyncpg://")})
    lanes: list[Lane] = []
    try:
        books.start()
        database.start()
        server.start()
        shared = Shared(server, database, Lock())
        register(names)
        for kind in names:
            place = folder / kind.name
            place.mkdir()
            url = database.create(kind.name) if kind.postgres else f"sqlite:///{place}/store.db"
            stage = Stage(url, place)
            begin(stage)
            lane = Lane(kind.name, stage, shared, folder, pool=kind.pool)
            lane.host.start()
            lanes.append(lane)
        with reclaiming():
            yield lanes
    finally:
        for lane in lanes:
            lane.host.kill(below_too=True)
        server.kill(below_too=True)
        for cluster in (books, database):
            cluster.stop()


def register(names: tuple[Kind, ...]) -> None:
    """What a deployment has: a pool, the flows, and the automation for silent runs."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415 — the server is known now
    from prefect.client.schemas.actions import WorkPoolCreate  # noqa: PLC0415

    from memtend_flows.automations import stuck  # noqa: PLC0415
    from tests.crash.flows.host import deployments  # noqa: PLC0415

    with get_client(sync_client=True) as client:
        client.create_automation(stuck())
        for kind in names:
            if kind.pool:
                client.create_work_pool(WorkPoolCreate(name=kind.name, type="process"))
            for one in deployments(kind.name, kind.name if kind.pool else None):
                one.apply()


@contextmanager
def reclaiming() -> Iterator[None]:
    """The work of the flow `reclaim`, more often than it is scheduled."""
    from memtend_tasks.reclaim import reclaim_runs  # noqa: PLC0415

    ended = Event()

    def run() -> None:
        while not ended.wait(RECLAIM_EVERY_S):
            try:
                found = reclaim_runs.fn()
            except httpx.HTTPError:
                continue  # the server is away
            if not found.nothing:
                print(time.strftime("%H:%M:%S"), found, file=sys.stderr, flush=True)

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def work(lane: Lane, waiting: Queue[Job], report: Path) -> list[Kill]:
    """Take what is to be killed next that this lane can kill, until nothing is left."""
    kills: list[Kill] = []
    while True:
        try:
            job = waiting.get_nowait()
        except Empty:
            return kills
        if job.victim == "database" and not lane.stage.url.startswith("postgresql"):
            waiting.put(job)
            time.sleep(1)
            if all(one.victim == "database" for one in list(waiting.queue)):
                return kills
            continue
        kill = lane.kill(job.flow, job.victim)
        if kill is None:
            waiting.put(job)
            continue
        kills.append(kill)
        with report.open("a") as lines:
            lines.write(json.dumps(kill._asdict()) + "\n")
        print(time.strftime("%H:%M:%S"), kill, file=sys.stderr, flush=True)


def main(kills: int, report: Path, lanes: int) -> int:
    waiting: Queue[Job] = Queue()
    for job in jobs(kills):
        waiting.put(job)
    began = time.monotonic()
    home = Path(os.environ["PREFECT_HOME"])
    with running(home, LANES[:lanes]) as ready, ThreadPoolExecutor(len(ready)) as pool:
        done = list(pool.map(lambda lane: work(lane, waiting, report), ready))
        wrong = [error for lane in ready for error in lane.wrong]
        wrong += [error for lane in ready for error in at_the_end(lane.stage)]
    made = [kill for several in done for kill in several]
    wrong += [error for kill in made for error in kill.wrong]
    summary = {"kills": len(made), "seconds": round(time.monotonic() - began), "wrong": wrong}
    print(json.dumps(summary))
    return 1 if wrong else 0


def in_its_own_home(arguments: list[str]) -> int:
    """Prefect reads where its server is when it is imported: so it is said to a new process."""
    folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="memtend-kills-")))
    command = [sys.executable, "-m", "tests.crash.flows.record", *arguments]
    done = subprocess.run(command, env=server_environment(folder), check=False)
    if done.returncode == 0:
        shutil.rmtree(folder)
    else:
        print(f"what they wrote is in {folder}", file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    if "memtend-kills-" in os.environ.get("PREFECT_HOME", ""):
        sys.exit(main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
    sys.exit(in_its_own_home(sys.argv[1:]))
