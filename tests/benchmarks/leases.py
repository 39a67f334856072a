"""Leases: taking one and giving it back against two raw durable writes, and how it is handed on.

The raw side writes one row twice, each write durable: less than that no lease can do that survives
a power cut. Hand-off: eight processes want the same lease all the time and note when they gave it
back and when they got it; time from one to the next is the hand-off.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count, pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

from memtend.memory import Memory
from tests.benchmarks.data import item
from tests.benchmarks.harness import Case, Inputs, Row, Side, each, expect, measure
from tests.benchmarks.postgres import RAW as RAW_POSTGRES
from tests.benchmarks.postgres import RawPostgres, cluster
from tests.benchmarks.raw import Raw

PAIRS = 20
TARGET = 3.0
PROCESSES = 8
SECONDS = 4.0
HELD_S = 0.002
ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
from tests.benchmarks.leases import take_turns
take_turns(sys.argv[1], float(sys.argv[2]))
"""
SQLITE, POSTGRES = "lease, SQLite", "lease, PostgreSQL"
RAW = "raw sqlite3, two durable writes"


def rows(folder: Path) -> Iterator[Row]:
    folder.mkdir(parents=True)
    url = f"sqlite:///{folder}/ours.db"
    with Memory.open(url) as memory, closing(Raw(folder / "raw.db", "FULL")) as raw:
        yield from _pairs(f"{SQLITE}: acquire + release", memory, RAW, raw.put)
    yield from _handed_on(SQLITE, url)
    with cluster() as server, server.database() as url, server.database() as other:
        with Memory.open(url) as memory, closing(RawPostgres(other)) as raw_postgres:
            name = f"{RAW_POSTGRES}, two durable writes"
            yield from _pairs(f"{POSTGRES}: acquire + release", memory, name, raw_postgres.put)
        yield from _handed_on(POSTGRES, url)


def _pairs(name: str, memory: Memory, against: str, put: Callable[[Any], None]) -> Iterator[Row]:
    leases, numbers = memory.leases, count()

    def take(resource: str) -> bool:
        return leases.release(leases.acquire(resource, wait_s=0))

    def write_twice(resource: str) -> bool:
        for _ in range(2):  # another value each time: the same would not be written at all
            put(item(0)._replace(key=resource, value={"n": next(numbers)}))
        return True

    def check(inputs: Inputs, answers: list[bool]) -> None:
        expect(answers, [True] * len(inputs), name)

    inputs = [f"resource-{n}" for n in range(PAIRS)]
    case = Case(name, PAIRS, lambda _: inputs, check)
    yield from measure(
        case, Side("memtend", each(take)), [Side(against, each(write_twice), TARGET)]
    )


class Turn(NamedTuple):
    token: int
    got_ns: int
    gave_ns: int
    process: int


def take_turns(url: str, seconds: float) -> None:
    """In a process of its own: the lease again and again, with the times noted."""
    with Memory.open(url) as memory:
        clock = memory.store.clock
        print("ready", flush=True)
        sys.stdin.readline()
        end_ns = clock.monotonic_ns() + round(seconds * 1e9)
        while clock.monotonic_ns() < end_ns:
            lease = memory.leases.acquire("turn")
            got_ns = clock.monotonic_ns()
            time.sleep(HELD_S)
            gave_ns = clock.monotonic_ns()
            memory.leases.release(lease)
            print(lease.fence.n, got_ns, gave_ns)


def _handed_on(name: str, url: str) -> Iterator[Row]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, url, str(SECONDS)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(PROCESSES)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    turns: list[Turn] = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for number, process in enumerate(processes):
        told, _ = process.communicate(timeout=60)
        for line in told.splitlines():
            token, got_ns, gave_ns = map(int, line.split())
            turns.append(Turn(token, got_ns, gave_ns, number))
    turns.sort()
    waits_ms = [(after.got_ns - before.gave_ns) / 1e6 for before, after in pairwise(turns)]
    counts = [sum(turn.process == number for turn in turns) for number in range(PROCESSES)]
    p95 = quantiles(waits_ms, n=20)[-1]
    yield _row(f"{name}: hand-off, median", "ms", median(waits_ms), "a pause", 50.0)
    yield _row(f"{name}: hand-off, 95th percentile", "ms", p95, "a pause", 50.0)
    share = max(counts) / max(min(counts), 1)
    yield _row(f"{name}: most turns / fewest", "", share, "equal turns", 1.0)


def _row(name: str, unit: str, ours: float, against: str, baseline: float) -> Row:
    ratio = ours / baseline
    return Row(name, PROCESSES, unit, ours, against, baseline, ratio, ratio, ratio, None, "lower")
