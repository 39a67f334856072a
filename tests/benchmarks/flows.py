"""What Prefect costs: the maintenance cycle beside a flow that does nothing, and its tasks.

Each side is a process of its own with the embedded server, on a copy of the same store, from the
start of the interpreter to its end. What the cycle may take is one and a half times the bare flow
plus its own operations, as the same functions take them when they are called directly.

The rows of single tasks are those operations on a store of full size. Prefect keeps books on each:
one with less than a second of work there should be part of another one, unless it is one of those
that only look something up.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from memtend.clock import ManualClock, SystemClock
from memtend.drafting import Put
from memtend.limits import SWEEP_MARGIN_MS
from memtend.model.archiverule import ArchivePolicy, ArchiveRule
from memtend.model.policyfile import PolicyFile
from memtend.services import open_services
from memtend_flows.home import prefect_environment
from tests.benchmarks.data import item, long_item
from tests.benchmarks.harness import Row, chunks, compared, expect

ROUNDS = 5
SMALL = 1_000
SHARE = 1.5
AGE_MS = 60 * 24 * 3_600_000
BATCH = 1_000
DEAD_EVERY, LONG_EVERY, SAME_EVERY = 10, 20, 251
BOOKS = frozenset({"verify backup", "list backups", "check health", "check alerts",
                   "record figures", "pending migrations", "watch ttl trials",
                   "make rotation plan", "apply rotation plan", "write report"})  # fmt: skip
"""Tasks that look at figures, manifests or a few rows, in a store of any size."""


def rows(folder: Path, sizes: Sequence[int]) -> Iterator[Row]:
    yield from _cycle(folder / "small")
    for size in sizes:
        fill(folder / str(size), size)
        found = json.loads(run("work", folder / str(size))[1])
        for name, seconds in found["tasks"].items():
            least = None if name in BOOKS or size < max(sizes) else 1.0
            took_ms = [seconds * 1_000]
            yield compared(f"task: {name}", size, "ms", took_ms, "a second", [1_000.0], least,
                           "higher")  # fmt: skip


def _cycle(folder: Path) -> Iterator[Row]:
    fill(folder / "filled", SMALL)
    run("noop", folder / "filled")  # its server makes its tables once
    ours, bare, work = [], [], []
    for turn in range(ROUNDS):
        figures: dict[str, float] = {}
        sides = ("noop", "tend", "work")
        for side in sides if turn % 2 else reversed(sides):
            copy = folder / f"{turn}-{side}"
            shutil.copytree(folder / "filled", copy)
            took, said = run(side, copy)
            figures[side] = json.loads(said)["seconds"] if side == "work" else took
            shutil.rmtree(copy)
        ours.append(figures["tend"])
        bare.append(figures["noop"])
        work.append(figures["work"])
    allowed = [SHARE * least + own for least, own in zip(bare, work, strict=True)]
    against = f"{SHARE} x a bare flow ({median(bare):.1f} s) and its operations"
    yield compared("tend", SMALL, "s", ours, against, allowed, 1.0, "lower")


def fill(folder: Path, size: int) -> None:
    """Records with something to do for every step: dead ones, long ones, some that say the same."""
    folder.mkdir(parents=True)
    now_ms = SystemClock().now_ms()
    past_ms = now_ms - 10 * SWEEP_MARGIN_MS
    rule = ArchiveRule(name="long", larger_than_bytes=2_000)
    same_every = max(SAME_EVERY, size // 50 | 1)  # over all namespaces; none has to approve so few
    clock = ManualClock(now_ms - AGE_MS)
    with open_services(str(folder / "memory.db"), clock=clock) as services:
        services.memory.config.set_policies(PolicyFile(archive=ArchivePolicy(rules=(rule,))), "x")
        for numbers in chunks(range(size), BATCH):
            services.memory.put_many([_put(number, past_ms, same_every) for number in numbers])
        expect(services.facts().records, size, "records")


def _put(number: int, past_ms: int, same_every: int) -> Put:
    one = long_item(number) if number % LONG_EVERY == 1 else item(number)
    if number % same_every == 2:
        return Put(one.namespace, one.key, item(2).value, ttl_ms=0)
    if number % DEAD_EVERY == 0:
        return Put(one.namespace, one.key, one.value, expires_at_ms=past_ms)
    return Put(one.namespace, one.key, one.value, ttl_ms=0)


def run(side: str, folder: Path) -> tuple[float, str]:
    """How long a side took from start to end, and the last line that it wrote."""
    places = {
        "MEMTEND_STORE_URL": str(folder / "memory.db"),
        **{f"MEMTEND_{what.upper()}_URL": str(folder / what)
           for what in ("backup", "archive", "plans", "report", "models")},
        "PREFECT_LOGGING_LEVEL": "ERROR",
    }  # fmt: skip
    environment: dict[str, Any] = prefect_environment(folder / "prefect", os.environ) | places
    if side == "noop":
        del environment["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"]  # as bare as it is
    began = time.perf_counter()
    done = subprocess.run(
        (sys.executable, "-m", "tests.benchmarks.flows_child", side),
        env=environment, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return time.perf_counter() - began, done.stdout.strip().splitlines()[-1]
