"""A prune and its undo, cut off before and after every write to the archive and to the store.

Whatever is left, each record is here or comes back, nothing is counted twice, and the same call
repeated brings everything to its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from memtend import objects
from memtend.clock import Clock, ManualClock
from memtend.drafting import Put
from memtend.limits import MAINTENANCE_LEASE_MS
from memtend.model.record import Labels
from memtend.objects import ObjectStore, open_target
from memtend.prune.plan import PrunePlan
from memtend.services import Services
from memtend.slices import Slices
from memtend.store.engine import Transaction
from tests.fixtures.archives import DAY_MS, value
from tests.fixtures.backups import FailingStore, Fails, Requests
from tests.fixtures.pruning import plan_of, pruning, whole

NS = "notes/old"
PLAIN, SAME = 8, 4


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several objects and several slices out of few records."""
    monkeypatch.setattr("memtend.archive.packing.ARCHIVE_BLOCK_BYTES", 2_500)
    monkeypatch.setattr("memtend.archive.packing.ARCHIVE_OBJECT_BYTES", 4_000)
    small = partial(Slices, first=3, least=3, most=3)
    monkeypatch.setattr("memtend.prune.apply.Slices", small)
    monkeypatch.setattr("memtend.prune.undo._PAGE", 4)


def prepare(services: Services) -> PrunePlan:
    labels = Labels(kind="pattern", agent="ada", tags=("t",), success_count=1)
    puts = [Put(NS, f"k{n:02}", value(n), labels) for n in range(PLAIN)]
    puts += [Put(NS, f"same{n}", value(99), labels, (900 + n) * DAY_MS) for n in range(SAME)]
    services.memory.put_many(puts)
    into = {f"{NS}/same{n}": f"{NS}/same0" for n in range(1, SAME)}
    return plan_of(services, *(f"{NS}/k{n:02}" for n in range(PLAIN)), into=into)


@contextmanager
def failing(services: Services, fail_at: int | None, *, late: bool) -> Iterator[Requests]:
    """Requests to the target and write transactions are counted together; from the n-th on they
    fail, the n-th itself after it happened if `late`."""
    requests, engine = Requests(), services.store.engine
    write = engine.write

    def opened(url: str, clock: Clock, **more: Any) -> ObjectStore:
        inner = open_target(url, clock, **more)
        return FailingStore(inner, fail_at, late=late, requests=requests)

    @contextmanager
    def writing() -> Iterator[Transaction]:
        requests.made += 1
        fails = fail_at is not None and requests.made >= fail_at
        if fails and not (late and requests.made == fail_at):
            raise Fails(call=requests.made)
        with write() as tx:
            yield tx
        if fails:
            raise Fails(call=requests.made)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objects, "open_target", opened)
        patch.setattr(engine, "write", writing)
        yield requests


def counted(services: Services) -> int:
    """What all records of one text say together."""
    found = whole(services.memory, NS)
    counts = [one["labels"]["success_count"] for key, one in found.items() if "same" in key]
    return sum(counts)


def undo(services: Services) -> None:
    for one in services.prunings():
        assert services.undo_prune(one.plan).refused == 0


def check_whole(services: Services, where: object) -> None:
    report = services.verify_store()
    assert report.ok, (where, report.findings)


def test_a_prune_is_cut_off_at_every_write(tmp_path: Path) -> None:
    def run(fail_at: int | None, late: bool = False, undone: bool = False) -> int:
        clock = ManualClock()
        with pruning("sqlite://", tmp_path / str(fail_at), clock) as services:
            plan = prepare(services)
            before = whole(services.memory, NS)
            with failing(services, fail_at, late=late) as requests, suppress(Fails):
                services.apply_prune(plan, approved=True)
            clock.advance(MAINTENANCE_LEASE_MS)
            left = whole(services.memory, NS)
            assert counted(services) == SAME, fail_at
            gone = len(before) - len(left)
            assert sum(one.records for one in services.prunings()) == gone, fail_at
            assert sum(one.pruned for one in services.regrets()) == gone, fail_at
            check_whole(services, fail_at)
            if undone:  # as it is, else brought to its end
                undo(services)
                assert whole(services.memory, NS) == before, fail_at
                return requests.made
            services.apply_prune(plan, approved=True)
            assert (list(whole(services.memory, NS)), counted(services)) == (["same0"], SAME)
            assert [one.records for one in services.prunings()] == [len(before) - 1]
            undo(services)
            assert whole(services.memory, NS) == before, fail_at
            check_whole(services, (fail_at, "undone"))
        return requests.made

    calls = run(None)
    assert calls > 20
    for fail_at in range(1, calls + 1):
        run(fail_at, late=fail_at % 2 == 0, undone=fail_at % 4 < 2)


def test_an_undo_is_cut_off_at_every_write(tmp_path: Path) -> None:
    def run(fail_at: int | None, late: bool = False) -> int:
        clock = ManualClock()
        with pruning("sqlite://", tmp_path / str(fail_at), clock) as services:
            plan = prepare(services)
            before = whole(services.memory, NS)
            services.apply_prune(plan, approved=True)
            with failing(services, fail_at, late=late) as requests, suppress(Fails):
                undo(services)
            clock.advance(MAINTENANCE_LEASE_MS)
            assert counted(services) <= SAME, fail_at
            check_whole(services, fail_at)
            undo(services)
            assert whole(services.memory, NS) == before, fail_at
            assert services.prunings()[0].undone_at is not None
        return requests.made

    calls = run(None)
    assert calls > 10
    for fail_at in range(1, calls + 1):
        run(fail_at, late=fail_at % 2 == 0)
