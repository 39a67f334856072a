"""A rotation cut off at every request and every file operation: too much is left, never too little.

What the plan keeps can be restored at every moment, and the same rotation again ends where an
undisturbed one ends.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

import fsspec
import pytest

from memtend.backup import Repository, verify_repository
from memtend.backup.layers import open_state
from memtend.clock import ManualClock
from memtend.limits import GARBAGE_GRACE_MS
from memtend.objects import ObjectStore, open_target
from tests.fixtures.backups import FailingStore, Fails, check_row, row
from tests.fixtures.killing import KILLED, die_before, in_child
from tests.fixtures.rotations import LEASE_OVER_MS, Dated, Series, manifests_in, rotated


@pytest.fixture(autouse=True)
def _small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memtend.backup.cut.cut.__kwdefaults__", {"target": 1_000, "cap": 20_000})


def history(store: ObjectStore, clock: ManualClock) -> tuple[Series, list[str]]:
    """Two chains, two stores, one full; leftovers of all kinds. And what a rotation keeps."""
    series = Series(store, clock)
    old = series.full(1)
    first = series.increment(old, row("n", "a", b"1"))
    series.increment(first, row("n", "b", b"2"), gone=(row("n", "a", b"1"),))
    series.full(2, store_id="6" * 32)
    other = series.full(3, store_id="6" * 32)
    base = series.full(1, count=14)
    middle = series.increment(base, row("n", "c", b"3"))
    series.increment(middle, row("n", "x", b"x"))
    newest = series.increment(middle, row("n", "d", b"4"))
    for name in ("objects/aa/" + "a" * 64, "tmp/cut-off", "leases/write/1-somebody"):
        store.put_if_absent(name, b"x")
    clock.advance(GARBAGE_GRACE_MS)
    return series, [other, base, middle, newest]


def assert_restorable(store: ObjectStore, series: Series, kept: list[str]) -> None:
    repository = Repository.open(store)
    for name in kept:
        rows = list(open_state(repository, name, check_row=check_row).rows())
        assert rows == sorted(series.states[name].values())


def assert_sound(
    store: ObjectStore, clock: ManualClock, series: Series, kept: list[str], where: object
) -> None:
    report = verify_repository(store, clock, check_row=check_row, deep=True, head=kept[-1])
    assert report.ok, (where, report.findings)
    assert set(kept) <= set(report.whole), where
    assert len(report.whole) == report.manifests, where
    assert_restorable(store, series, kept)


def fresh(kind: str, where: Path, clock: ManualClock) -> ObjectStore:
    if kind == "local":
        return Dated(open_target(str(where), clock), clock)
    fsspec.filesystem("memory").store.clear()
    return Dated(open_target(f"memory://{where.name}", clock), clock)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("kind", ["local", "memory"])
def test_cut_off_anywhere(kind: str, late: bool, tmp_path: Path) -> None:
    """The n-th request and all behind it fail, for every n; once it fails before, once after."""
    clock = ManualClock()
    store = fresh(kind, tmp_path / "undisturbed", clock)
    series, kept = history(store, clock)
    counting = FailingStore(store)
    rotated(counting, clock)
    undisturbed = {info.name.partition("-")[0] for info in store.list()}
    assert manifests_in(store) == kept
    assert counting.calls > 40

    for fail_at in range(1, counting.calls + 1):
        clock = ManualClock()
        store = fresh(kind, tmp_path / str(fail_at), clock)
        series, kept = history(store, clock)
        with contextlib.suppress(Fails):
            rotated(FailingStore(store, fail_at, late=late), clock)
        assert_sound(store, clock, series, kept, fail_at)
        clock.advance(LEASE_OVER_MS)
        rotated(store, clock)
        assert_sound(store, clock, series, kept, fail_at)
        assert manifests_in(store) == kept
        clock.advance(2 * GARBAGE_GRACE_MS)
        rotated(store, clock)
        # Records differ in their time and thereby in their name, but not in number.
        names = {info.name.partition("-")[0] for info in store.list()}
        assert {n for n in names if not n.startswith("rotations/")} == {
            n for n in undisturbed if not n.startswith("rotations/")
        }
        assert sum(n.startswith("rotations/") for n in names) == 1


def killed_at(operation: int, root: Path, clock: ManualClock) -> bool:
    """Rotate in a child that dies before its n-th file operation. Whether it died."""

    def work() -> None:
        die_before(operation)
        rotated(open_target(str(root), clock), clock)

    status = in_child(work)
    assert status in (0, KILLED)
    return status == KILLED


def test_killed_at_every_file_operation(tmp_path: Path) -> None:
    """A process killed at any file operation; the next one meets its leftovers.

    The clock follows the disk's here, so that objects are as old as their files say.
    """
    now_ms = int(time.time() * 1_000)
    base = tmp_path / "base"
    clock = ManualClock(now_ms - 20 * GARBAGE_GRACE_MS)
    series, kept = history(open_target(str(base), clock), clock)
    for path in base.rglob("*"):
        os.utime(path, (now_ms / 1_000 - 3 * 86_400,) * 2)
    for operation in range(1, 5_000):
        root = tmp_path / str(operation)
        shutil.copytree(base, root)
        if not killed_at(operation, root, ManualClock(now_ms, seed=-operation)):
            break
        clock = ManualClock(now_ms, seed=operation)
        store = open_target(str(root), clock)
        assert_sound(store, clock, series, kept, operation)
        clock.advance(LEASE_OVER_MS)
        rotated(store, clock)
        assert_sound(store, clock, series, kept, operation)
        assert manifests_in(store) == kept
        shutil.rmtree(root)
    assert 50 < operation < 4_999
    left = open_target(str(tmp_path / str(operation)), clock)
    assert manifests_in(left) == kept
    assert [info.name for info in left.list("objects/aa/")] == []
