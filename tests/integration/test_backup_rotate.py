"""Rotation carried out: what goes, what stays, and that what stays can be restored."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.backup import Repository, verify_repository
from memtend.backup import rotation_record as records
from memtend.backup.pins import pin, read_pins, unpin
from memtend.backup.repository import object_name
from memtend.backup.rotation_plan import plan_rotation
from memtend.clock import ManualClock
from memtend.errors import BackupUnknown, InvalidName, LeaseHeld, ObjectDamaged, RotationRefused
from memtend.limits import GARBAGE_GRACE_MS
from memtend.model.retention import Retention
from memtend.objects import ObjectStore, open_target
from tests.fixtures.backups import check_row, row
from tests.fixtures.rotations import (
    NOTHING,
    Dated,
    Series,
    facts_of,
    manifest_of,
    manifests_in,
    named,
    rotated,
)

HOUR_MS = 3_600_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> ObjectStore:
    return Dated(open_target(str(tmp_path / "target"), clock), clock)


@pytest.fixture
def series(store: ObjectStore, clock: ManualClock) -> Series:
    return Series(store, clock)


def objects_in(store: ObjectStore) -> set[str]:
    return {info.name for info in store.list("objects/")}


def objects_of(store: ObjectStore, *names: str) -> set[str]:
    return {object_name(ref.object) for name in names for ref in manifest_of(store, name).segments}


def assert_whole(store: ObjectStore, clock: ManualClock, head: str) -> None:
    report = verify_repository(store, clock, check_row=check_row, deep=True, head=head)
    assert report.ok, report.findings
    assert len(report.whole) == report.manifests


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


def test_again_changes_nothing(series: Series, store: ObjectStore, clock: ManualClock) -> None:
    for seed in range(3):
        series.full(seed)
    rotated(store, clock)
    before = {info.name for info in store.list()}
    report = rotated(store, clock)
    assert (report.deleted, report.objects_deleted, report.leftovers_deleted) == (0, 0, 0)
    assert {info.name for info in store.list()} == before


def test_a_kept_increment_keeps_what_it_builds_on(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    base = series.full(1)
    first = series.increment(base, row("n", "a", b"1"))
    second = series.increment(first, row("n", "a", b"2"))
    beside = series.increment(first, row("n", "b", b"3"))
    newest = series.increment(second, row("n", "c", b"4"))
    rotated(store, clock)
    assert manifests_in(store) == [base, first, second, newest]
    assert not objects_of(store, newest) - objects_in(store)
    assert beside not in manifests_in(store)
    assert_whole(store, clock, newest)


def test_several_stores_are_rotated_each_by_itself(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    other = "6" * 32
    series.full(1)
    kept_other = series.full(2, store_id=other)
    series.full(3)
    kept = series.full(4)
    rotated(store, clock)
    assert manifests_in(store) == [kept_other, kept]
    assert_whole(store, clock, kept)


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


def test_a_pin_keeps_a_backup_and_what_it_builds_on(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    base = series.full(1)
    pinned = series.increment(base, row("n", "a", b"1"))
    newest = series.full(2)
    repository = Repository.open(store)
    made = pin(repository, clock, "before-migration", named(pinned), who="me", why="to be sure")
    assert pin(repository, clock, "before-migration", named(pinned)) == made
    assert [(one.name, one.manifest, one.why) for one in read_pins(store)] == [
        ("before-migration", pinned, "to be sure")
    ]
    rotated(store, clock)
    assert manifests_in(store) == [base, pinned, newest]
    unpin(store, clock, "before-migration")
    rotated(store, clock)
    assert manifests_in(store) == [newest]


def test_a_pin_names_one_backup(series: Series, store: ObjectStore, clock: ManualClock) -> None:
    first, second = series.full(1), series.full(2)
    repository = Repository.open(store)
    pin(repository, clock, "p", named(first))
    with pytest.raises(InvalidName, match="already"):
        pin(repository, clock, "p", named(second))
    for name in ("", "../x", "a/b", "a" * 101):
        with pytest.raises(InvalidName):
            pin(repository, clock, name, named(first))
    with pytest.raises(BackupUnknown):
        unpin(store, clock, "q")


def test_what_was_pinned_or_built_upon_since_the_plan_stays(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    first, second, third = series.full(1), series.full(2), series.full(3)
    repository = Repository.open(store)
    plan = plan_rotation(repository, NOTHING, facts_of(clock))
    assert plan.dropped() == (first, second)
    pin(repository, clock, "p", named(first))
    on_second = series.increment(second, row("n", "a", b"1"))
    report = rotated(store, clock, plan=plan)
    assert (report.deleted, report.changed_since) == (0, 2)
    assert manifests_in(store) == [first, second, third, on_second]


def test_a_damaged_pin_stops_everything(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    """Nobody knows what it kept."""
    series.full(1)
    series.full(2)
    store.put_if_absent("pins/p", b"{}")
    with pytest.raises(ObjectDamaged):
        rotated(store, clock)
    assert len(manifests_in(store)) == 2


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


def test_a_manifest_of_another_repository_decides_nothing(
    series: Series, store: ObjectStore, clock: ManualClock, tmp_path: Path
) -> None:
    series.full(1)
    newest = series.full(2)
    other = Series(open_target(str(tmp_path / "other"), clock), ManualClock(seed=8))
    foreign = [other.full(3, store_id="9" * 32) for _ in range(3)][-1]
    store.put_if_absent(foreign, other.store.get(foreign))
    plan = plan_rotation(Repository.open(store), NOTHING, facts_of(clock))
    assert plan.unreadable == (foreign,)
    assert (rotated(store, clock).deleted, manifests_in(store)) == (1, [newest, foreign])


def test_a_rotation_waits_for_a_backup(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    series.full(1)
    series.full(2)
    store.put_if_absent(f"leases/write/{clock.now_ms() + 60_000:016d}-somebody", b"x")
    with pytest.raises(LeaseHeld):
        rotated(store, clock)


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


def test_one_record_stays_as_long_as_it_is_needed(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    """That the parent of a backup went, and was not lost."""
    for seed in range(4):
        series.full(seed)
        rotated(store, clock)
    (name,) = records.list_records(store)
    assert records.read_record(store, name).dropped == (series.names[-2],)
    newest = series.names[-1]
    assert_whole(store, clock, newest)
    store.delete(str(name))
    report = verify_repository(store, clock, check_row=check_row, head=newest)
    assert [one.kind.value for one in report.findings] == ["manifest missing"]


def test_a_damaged_record_is_replaced(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    for seed in range(3):
        series.full(seed)
    rotated(store, clock)
    (name,) = records.list_records(store)
    store.delete(str(name))
    store.put_if_absent(str(name), b"torn")
    report = rotated(store, clock)
    assert "does not match" in report.notes[0] or "do not match" in report.notes[0]
    (again,) = records.list_records(store)
    assert again != name


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
