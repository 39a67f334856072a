"""Deleting what has expired: a tenth of the store, planned and applied, against one raw DELETE.

Both sides are durable and have an index on the deadline. Ours is the whole operation: plan with a
reason per row, guard, lease, slices, change log, audit. The raw DELETE holds its lock throughout.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from memtend.drafting import Put
from memtend.memory import Memory
from memtend.model.plan import Report
from memtend.services import Services
from memtend.settings import Settings
from tests.benchmarks.data import item
from tests.benchmarks.harness import Row, chunks, compared, expect, undisturbed
from tests.benchmarks.raw import Raw
from tests.benchmarks.stores import BATCH

EXPIRED_EVERY = 10
HOUR_MS = 3_600_000
ROUNDS = 5
IDLE_ROUNDS = 15
LARGE = 100_000
RAW = "raw sqlite3 DELETE"


def rows(folder: Path, size: int) -> Iterator[Row]:
    """Each round has stores of its own, in which every tenth record has expired."""
    ours, applied, theirs, longest, held = [], [], [], [], []
    for turn in range(ROUNDS if size <= LARGE else 2):
        with _filled(folder / str(turn), size) as (services, raw, dead):
            if turn % 2:
                deleted_s, (report, swept_s) = _delete(raw, dead), _sweep(services, dead)
            else:
                (report, swept_s), deleted_s = _sweep(services, dead), _delete(raw, dead)
            expect(services.memory.stats().records, size - dead, "records left")
            ours.append(dead / swept_s)
            applied.append(dead / report.seconds)
            theirs.append(dead / deleted_s)
            longest.append(report.longest_lock_ms)
            held.append(deleted_s * 1e3)
            idle = _idle(services, raw, size)
    yield compared(
        "sweep of 10 %, plan and apply", size, "rows/s", ours, RAW, theirs, 0.7, "higher"
    )
    yield compared(
        "sweep of 10 %, apply alone", size, "rows/s", applied, RAW, theirs, None, "higher"
    )
    lock = compared("sweep, longest lock", size, "ms", longest, RAW, held, 50.0, "lower")
    yield lock._replace(ours=max(longest), judged="ours")
    yield idle


@contextmanager
def _filled(folder: Path, size: int) -> Iterator[tuple[Services, Raw, int]]:
    """Both sides with `size` records, the expired ones scattered among the others."""
    folder.mkdir(parents=True)
    url = f"sqlite:///{folder}/ours.db"
    expired_ms = time.time_ns() // 1_000_000 - HOUR_MS
    with Memory.open(url) as memory, closing(Raw(folder / "raw.db", "FULL")) as raw:
        raw.index_expiry()
        for chunk in chunks(range(size), BATCH):
            items = [(item(n)._replace(tag=None), not n % EXPIRED_EVERY) for n in chunk]
            deadline = {True: expired_ms, False: None}
            memory.put_many([Put(*one[:3], expires_at_ms=deadline[dead]) for one, dead in items])
            raw.put_expiring([(one, deadline[dead]) for one, dead in items])
        yield Services(memory, Settings(store_url=url)), raw, size // EXPIRED_EVERY
    shutil.rmtree(folder)


def _sweep(services: Services, expired: int) -> tuple[Report, float]:
    with undisturbed():
        began = time.perf_counter()
        report = services.apply_sweep(services.plan_sweep())
        took = time.perf_counter() - began
    expect(report.deleted, expired, "swept")
    return report, took


def _delete(raw: Raw, expired: int) -> float:
    with undisturbed():
        began = time.perf_counter()
        deleted = raw.delete_expired()
        took = time.perf_counter() - began
    expect(deleted, expired, "deleted")
    return took


def _idle(services: Services, raw: Raw, size: int) -> Row:
    """Planning when there is nothing to do, which is what a schedule does most of the time."""
    ours, theirs = [], []
    for _ in range(IDLE_ROUNDS):
        began = time.perf_counter()
        plan = services.plan_sweep()
        between = time.perf_counter()
        deleted = raw.delete_expired()
        theirs.append((time.perf_counter() - between) * 1e6)
        ours.append((between - began) * 1e6)
        expect((len(plan.decisions), deleted), (0, 0), "idle sweep")
    return compared("sweep, nothing expired", size, "µs", ours, RAW, theirs, None, "lower")
