"""Restores after restores, and where something is left over: nothing lost, nothing untrue."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from memtend.backup.restore_plan import Scope
from memtend.clock import ManualClock
from memtend.model.record import Labels
from memtend.services import Services, open_services
from memtend.serving.fresh import apply_fresh, plan_fresh
from memtend.settings import Settings


@pytest.fixture
def services(store_url: str, clock: ManualClock, tmp_path: Path) -> Iterator[Services]:
    """A store with one backup, and a change since."""
    settings = Settings(backup_url=f"{tmp_path}/backups")
    with open_services(store_url, settings=settings, clock=clock) as opened:
        opened.memory.put("a", "x", 1)
        opened.memory.put("a", "y", 1)
        opened.take_backup()
        opened.memory.put("a", "x", 2)
        yield opened
        report = opened.verify_store()
        assert report.ok, report.findings


def restore(services: Services, **how: int) -> str | None:
    return services.apply_restore(services.plan_restore(), **how).kept


def kept(services: Services) -> str | None:
    return next((one.name for one in services.kept_stores()), None)


def test_a_grant_after_a_restore_is_kept_by_the_next(services: Services) -> None:
    """Also if the last thing that happened was a restore of a part that had nothing to write."""
    first = restore(services)
    with services.store.change("ann") as (change, _):
        change.note("grant", "ann a/**")
    part = services.plan_restore(scope=Scope(namespace="a", key="x"))
    assert services.apply_restore(part).written == 0
    assert restore(services) not in (None, first)


def test_a_report_names_what_is_kept_and_nothing_else(services: Services) -> None:
    """After a restore that keeps nothing, one that changes nothing, an undo, and after the time."""
    report = services.apply_restore(services.plan_restore(), keep_ms=0)
    assert (report.kept, kept(services), report.kept_until) == (None, None, None)
    services.memory.put("a", "x", 3)
    name = restore(services, keep_ms=1_000)
    assert name == kept(services) != None  # noqa: E711 — one chain
    again = services.apply_restore(services.plan_restore())
    assert (again.kept, again.lost_changes) == (name, 0)
    undone = services.undo_restore()
    assert (undone.kept, kept(services)) == (None, None)
    assert services.memory.get("a", "x") == 3


def test_a_kept_store_whose_time_is_over_is_not_named(
    services: Services, clock: ManualClock
) -> None:
    restore(services, keep_ms=1_000)
    clock.advance(2_000)
    assert restore(services) is None
    assert kept(services) is None


def test_a_counter_that_several_have_counted_comes_back_whole(services: Services) -> None:
    """Its parts are of several lines of history, and one agent's part is not the count."""
    memory = services.memory
    memory.increment("counts", "n", 5, labels=Labels(agent="ann"))
    services.take_backup()
    restore(services)
    memory.increment("counts", "n", 7, labels=Labels(agent="bob"))
    services.take_backup()
    memory.increment("counts", "n", 100, labels=Labels(agent="bob"))
    for _ in range(2):
        services.apply_restore(services.plan_restore(scope=Scope(agent="ann")))
        assert memory.get("counts", "n") == 12


def test_what_is_left_of_a_lost_store_is_not_read_into_the_new_one(
    tmp_path: Path, clock: ManualClock
) -> None:
    """A WAL whose database is gone belongs to no database that comes to its name."""
    path = tmp_path / "store.db"
    settings = Settings(store_url=str(path), backup_url=f"{tmp_path}/backups")
    with open_services(settings=settings, clock=clock) as services:
        services.memory.put("a", "x", 1)
        services.take_backup()
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA wal_autocheckpoint = 0")
            other.execute("CREATE TABLE rubbish (x)")
            wal = Path(f"{path}-wal").read_bytes()
    path.unlink()
    Path(f"{path}-wal").write_bytes(wal)
    apply_fresh(plan_fresh(settings, clock), str(path), settings, clock)
    assert [one.read_bytes() for one in tmp_path.glob("store.db.damaged-*-wal")] == [wal]
    with closing(sqlite3.connect(path)) as store:
        assert store.execute("SELECT 1 FROM sqlite_master WHERE name = 'rubbish'").fetchall() == []
    with open_services(settings=settings, clock=clock) as services:
        assert services.memory.get("a", "x") == 1
        assert services.verify_store().ok


def test_a_plan_for_a_new_place_says_whose_backup_it_is(
    services: Services, tmp_path: Path, clock: ManualClock
) -> None:
    """Several stores may share one target, and no store that is open tells which is meant."""
    settings = Settings(store_url=f"{tmp_path}/other.db", backup_url=f"{tmp_path}/backups")
    with open_services(settings=settings, clock=clock) as other:
        other.take_backup()
    assert any("other.db" in note for note in plan_fresh(settings, clock).notes)
