"""The objects of backups that go: freed when nothing names them any more, and never before."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.backup import Repository
from memtend.backup.rotation_plan import plan_rotation
from memtend.clock import ManualClock
from memtend.errors import RotationRefused
from memtend.limits import GARBAGE_GRACE_MS
from memtend.model.retention import Retention
from memtend.objects import ObjectStore, open_target
from tests.fixtures.backups import row
from tests.fixtures.rotations import (
    NOTHING,
    Dated,
    Series,
    assert_whole,
    facts_of,
    manifests_in,
    objects_in,
    objects_of,
    rotated,
)

HOUR_MS = 3_600_000


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> ObjectStore:
    return Dated(open_target(str(tmp_path / "target"), clock), clock)


@pytest.fixture
def series(store: ObjectStore, clock: ManualClock) -> Series:
    return Series(store, clock)


def test_what_is_younger_than_the_grace_stays(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    """It may belong to a backup that is about to name it."""
    newest = series.full(1)
    store.put_if_absent("objects/aa/" + "a" * 64, b"of somebody who is not done yet")
    clock.advance(GARBAGE_GRACE_MS - HOUR_MS)
    report = rotated(store, clock)
    assert (report.objects_deleted, report.objects_waiting) == (0, 1)
    clock.advance(HOUR_MS)
    report = rotated(store, clock)
    assert (report.objects_deleted, report.objects_waiting) == (1, 0)
    assert objects_in(store) == objects_of(store, newest)


@pytest.mark.parametrize("off_ms", [2 * HOUR_MS, -2 * HOUR_MS, 365 * 24 * HOUR_MS])
def test_two_clocks_that_disagree_make_nothing_old(
    off_ms: int, series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    """Then an object goes when it was seen without a name in two rotations a grace apart."""
    series.full(1)
    store.put_if_absent("objects/aa/" + "a" * 64, b"garbage")
    elsewhere = ManualClock(clock.now_ms() + off_ms, seed=7)
    assert rotated(store, elsewhere).objects_waiting == 1
    elsewhere.advance(GARBAGE_GRACE_MS - HOUR_MS)
    assert rotated(store, elsewhere).objects_waiting == 1
    elsewhere.advance(HOUR_MS)
    assert rotated(store, elsewhere).objects_deleted == 1


def test_an_object_that_a_backup_names_meanwhile_waits_no_more(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    inner = open_target(store.url, clock)  # tells the real time, which the clock is far from
    series.full(1)
    rotated(inner, clock)
    second = series.full(2)
    gone = objects_in(store) - objects_of(store, second)
    assert rotated(inner, clock).objects_waiting == len(gone)
    third = series.full(1)
    clock.advance(2 * GARBAGE_GRACE_MS)
    rotated(inner, clock)
    assert gone <= objects_in(store)
    assert_whole(store, clock, third)
    assert second not in manifests_in(store)


def test_no_object_goes_while_a_manifest_cannot_be_read(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    first, second = series.full(1), series.full(2)
    newest = series.full(3)
    store.delete(second)
    store.put_if_absent(second, b"torn")
    report = rotated(store, clock)
    assert (report.deleted, report.objects_deleted) == (1, 0)
    assert "cannot be read" in report.notes[0]
    assert manifests_in(store) == [second, newest]
    repository = Repository.open(store)
    rotated(store, clock, plan=plan_rotation(repository, NOTHING, facts_of(clock), [second]))
    assert manifests_in(store) == [newest]
    assert objects_in(store) == objects_of(store, newest)
    assert first not in manifests_in(store)


def test_leftovers_go_with_the_grace(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    newest = series.full(1)
    names = ("tmp/aa", "probe/bb", f"leases/write/{clock.now_ms():016d}-somebody")
    for name in names:
        store.put_if_absent(name, b"x")
    clock.advance(2 * GARBAGE_GRACE_MS)
    rotated(store, clock)
    assert {info.name for info in store.list()} == {
        "memtend.json", "reserve/ballast", newest, *objects_of(store, newest)
    }  # fmt: skip


def test_the_plan_says_what_going_frees(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    """Objects that what is kept needs as well free nothing."""
    series.full(1)
    series.full(1)
    series.full(2)
    plan = plan_rotation(Repository.open(store), NOTHING, facts_of(clock))
    first, second, newest = (one.size_bytes for one in plan.decisions)
    assert first > 0 == second
    assert newest == 0 or plan.decisions[2].action == "keep"
    before = sum(info.size for info in store.list("objects/"))
    assert rotated(store, clock).bytes_freed == first
    assert before - sum(info.size for info in store.list("objects/")) == first
    everything = plan_rotation(Repository.open(store), Retention(), facts_of(clock))
    assert everything.dropped() == ()


def test_what_goes_takes_its_objects_along(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    series.full(1)
    old = series.full(2)
    new = series.full(2, count=14)
    report = rotated(store, clock)
    assert (report.deleted, report.kept) == (2, 1)
    assert report.bytes_freed > 0
    assert manifests_in(store) == [new]
    assert objects_in(store) == objects_of(store, new)
    assert old not in manifests_in(store)
    assert_whole(store, clock, new)


def test_nothing_goes_while_the_newest_is_not_whole(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    series.full(1)
    base = series.full(2)
    newest = series.increment(base, row("n", "a", b"1"))
    for lost in (objects_of(store, base), objects_of(store, newest)):
        name = lost.pop()
        data = store.get(name)
        store.delete(name)
        with pytest.raises(RotationRefused, match="is missing"):
            rotated(store, clock)
        store.put_if_absent(name, data[:-1])
        with pytest.raises(RotationRefused, match="instead of"):
            rotated(store, clock)
        store.delete(name)
        store.put_if_absent(name, data)
    assert rotated(store, clock).deleted == 1
