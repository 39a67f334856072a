"""Rotation carried out: which backups go, which stay, and that what stays can be restored."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.backup import Repository, verify_repository
from memtend.backup import rotation_record as records
from memtend.backup.pins import pin, read_pins, unpin
from memtend.backup.rotation_plan import plan_rotation
from memtend.clock import ManualClock
from memtend.errors import BackupUnknown, InvalidName, LeaseHeld, ObjectDamaged, PlanForeign
from memtend.objects import ObjectStore, open_target
from tests.fixtures.backups import check_row, row
from tests.fixtures.rotations import (
    NOTHING,
    Dated,
    Series,
    assert_whole,
    facts_of,
    manifests_in,
    named,
    objects_in,
    objects_of,
    rotated,
)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> ObjectStore:
    return Dated(open_target(str(tmp_path / "target"), clock), clock)


@pytest.fixture
def series(store: ObjectStore, clock: ManualClock) -> Series:
    return Series(store, clock)


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


def test_the_plan_of_another_repository_is_refused(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    series.full(1)
    series.full(2)
    plan = plan_rotation(Repository.open(store), NOTHING, facts_of(clock))
    with pytest.raises(PlanForeign, match="another repository"):
        rotated(store, clock, plan=plan.model_copy(update={"repo_id": "f" * 32}))
    assert len(manifests_in(store)) == 2


def test_a_rotation_waits_for_a_backup(
    series: Series, store: ObjectStore, clock: ManualClock
) -> None:
    series.full(1)
    series.full(2)
    store.put_if_absent(f"leases/write/{clock.now_ms() + 60_000:016d}-somebody", b"x")
    with pytest.raises(LeaseHeld):
        rotated(store, clock)


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
