"""Restore a whole store: plan, apply, undo, on each engine and from one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.backup.restore_plan import Mode, Scope
from memtend.clock import ManualClock
from memtend.errors import NoBackup, RestoreRefused
from memtend.model.record import Labels
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store.snapshot import snapshot
from tests.fixtures.stores import beside

HOUR_MS = 3_600_000


@pytest.fixture
def services(store_url: str, clock: ManualClock, tmp_path: Path) -> Iterator[Services]:
    settings = Settings(backup_url=f"{tmp_path}/backups")
    with open_services(store_url, settings=settings, clock=clock) as opened:
        yield opened
        report = opened.verify_store()
        assert report.ok, report.findings


def fill(services: Services) -> None:
    memory = services.memory
    memory.put("a/b", "kept", {"n": 1}, labels=Labels(tags=("red",), agent="ann"))
    memory.put("a/b", "changed", "before")
    memory.put("a/b", "deleted", ["x" * 3_000])
    memory.put("a/b", "short", 1, ttl_ms=HOUR_MS)
    memory.increment("counts", "seen", 3)
    memory.add("sets", "colours", "red")
    beside(memory, "a/b", "torn", 1)
    beside(memory, "a/b", "torn", 2)


def change(services: Services) -> None:
    memory = services.memory
    memory.put("a/b", "changed", "after")
    memory.delete("a/b", "deleted")
    memory.put("c", "added", 1)
    memory.increment("counts", "seen", 5)


def seen(services: Services) -> dict[tuple[str, str], object]:
    """Everything a reader sees."""
    memory = services.memory
    found: dict[tuple[str, str], object] = {}
    for namespace in ("a/b", "c", "counts"):
        found |= {(namespace, key): value for key, value in memory.scan(namespace)}
    found["a/b", "torn"] = [record.value for record in memory.siblings("a/b", "torn")]
    found["sets", "colours"] = memory.members("sets", "colours")
    return found


def sum_of(services: Services) -> str:
    return bytes(services.store.meta().sum).hex()


def test_the_newest_backup_comes_back(services: Services, clock: ManualClock) -> None:
    """What was taken is what is seen, expired records stay gone, and the old store comes back."""
    fill(services)
    before, total = seen(services), sum_of(services)
    services.take_backup()
    clock.advance(2 * HOUR_MS)
    change(services)
    after = seen(services)

    plan = services.plan_restore()
    assert (plan.added, plan.changed, plan.removed) == (1, 2, 1)
    assert {c.namespace: (c.added, c.changed, c.removed) for c in plan.namespaces} == {
        "a/b": (1, 1, 0),
        "c": (0, 0, 1),
        "counts": (0, 1, 0),
    }
    assert plan.expired == 1
    assert seen(services) == after

    report = services.apply_restore(plan)
    del before["a/b", "short"]
    assert seen(services) == before
    assert report.state_sum == total == sum_of(services)
    assert report.lost_changes > 0
    assert services.plan_restore().unchanged == report.rows - 1  # two siblings are one record

    undone = services.undo_restore()
    assert seen(services) == after
    assert undone.replica != report.replica


def test_a_second_backup_continues_on_the_restored_store(services: Services) -> None:
    """The new line of history begins with a full backup; what follows is incremental again."""
    fill(services)
    services.take_backup()
    services.apply_restore(services.plan_restore())
    assert services.take_backup().kind == "full"
    change(services)
    assert services.take_backup().kind == "incremental"
    expected = seen(services)
    services.memory.put("c", "added", 2)
    services.apply_restore(services.plan_restore())
    assert seen(services) == expected
    assert services.verify_backup().ok


def test_everybody_must_follow(services: Services) -> None:
    fill(services)
    services.take_backup()
    plan = services.plan_restore(mode=Mode.EVERYBODY)
    assert services.apply_restore(plan).epoch == 1


def test_from_nothing(services: Services) -> None:
    from memtend.errors import RepositoryForeign  # noqa: PLC0415

    with pytest.raises((NoBackup, RepositoryForeign)):
        services.plan_restore()


def test_another_store_is_not_replaced_by_mistake(
    services: Services, tmp_path: Path, clock: ManualClock
) -> None:
    fill(services)
    settings = Settings(backup_url=f"{tmp_path}/other")
    with open_services(
        f"sqlite:///{tmp_path}/other.db", settings=settings, clock=ManualClock(seed=5)
    ) as other:
        other.memory.put("else", "where", 1)
        other.take_backup()
    plan = services.plan_restore(f"{tmp_path}/other")
    assert plan.foreign
    with pytest.raises(RestoreRefused):
        services.apply_restore(plan)
    assert services.memory.get("a/b", "changed") == "before"
    meant = services.plan_restore(f"{tmp_path}/other", replace_other=True)
    services.apply_restore(meant)
    assert services.memory.get("else", "where") == 1


def test_the_same_state_on_each_engine(
    lasting_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    """A backup from one engine restores on the other, with the same root."""
    settings = Settings(backup_url=f"{tmp_path}/backups")
    with open_services(f"sqlite:///{tmp_path}/first.db", settings=settings, clock=clock) as first:
        fill(first)
        root = first.take_backup(root=True).root
        expected, total = seen(first), sum_of(first)
    with open_services(lasting_url, settings=settings, clock=ManualClock(seed=3)) as second:
        report = second.apply_restore(second.plan_restore())
        assert (report.root, report.state_sum) == (root, total)
        assert seen(second) == expected
        second.take_backup(f"{tmp_path}/back")
    with open_services(f"sqlite:///{tmp_path}/third.db", settings=settings, clock=clock) as third:
        report = third.apply_restore(third.plan_restore(f"{tmp_path}/back"))
        assert (report.root, report.state_sum) == (root, total)
        assert seen(third) == expected
        with snapshot(third.store) as view:
            assert view.records == report.rows


def test_what_was_written_after_a_restore_is_kept_by_the_next(services: Services) -> None:
    """Whatever wrote it: here a restore of a part, which writes as anybody does."""
    fill(services)
    services.take_backup()
    services.apply_restore(services.plan_restore())
    change(services)
    part = services.plan_restore(scope=Scope(namespace="a/b", key="deleted"))
    services.apply_restore(part)
    before = seen(services)
    report = services.apply_restore(services.plan_restore())
    assert report.kept is not None
    services.undo_restore()
    assert seen(services) == before


def test_repeating_a_restore_leaves_undo_what_it_was(services: Services) -> None:
    """A restored store in which nothing was written since is not worth keeping."""
    fill(services)
    services.take_backup()
    change(services)
    before = seen(services)
    first = services.apply_restore(services.plan_restore())
    again = services.apply_restore(services.plan_restore())
    assert again.kept == first.kept
    services.undo_restore()
    assert seen(services) == before
    services.apply_restore(services.plan_restore())
    services.undo_restore()
    assert seen(services) == before
