"""Restore where no store is open: into a new place, and over a damaged store that moves aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import MemtendError, StoreExists
from memtend.services import open_services
from memtend.serving.fresh import apply_fresh, plan_fresh
from memtend.settings import Settings
from memtend.store import catalog, leases


@pytest.fixture
def settings(tmp_path: Path, clock: ManualClock) -> Settings:
    """A store with one backup, and changes since."""
    settings = Settings(store_url=f"{tmp_path}/store.db", backup_url=f"{tmp_path}/backups")
    with open_services(settings=settings, clock=clock) as services:
        services.memory.put("a", "x", 1)
        services.memory.put("b/c", "y", [2])
        services.take_backup()
        services.memory.put("a", "x", 2)
        for n in range(3):
            leases.acquire(services.store, "door", f"h{n}", 0)
    return settings


def test_into_a_new_place(settings: Settings, lasting_url: str, tmp_path: Path) -> None:
    """A whole store, with a line of history of its own; restored twice, two of them (8.7)."""
    clock = ManualClock(seed=1)
    plan = plan_fresh(settings, clock)
    assert (plan.added, plan.changed, plan.removed) == (2, 0, 0)
    into = lasting_url.replace("store.db", "new/place.db")
    apply_fresh(plan, into, settings, clock)
    other = f"{tmp_path}/second.db"
    apply_fresh(plan, other, settings, clock)
    with (
        open_services(into, settings=settings, clock=clock) as one,
        open_services(other, settings=settings, clock=clock) as two,
    ):
        for services in (one, two):
            assert services.memory.get("a", "x") == 1
            assert services.memory.get("b/c", "y") == [2]
            report = services.verify_store()
            assert report.ok, report.findings
            assert not services.verify_backup().damage_count
            backup = catalog.newest(services.store, plan.url)
            assert backup is not None
            assert backup.manifest == plan.manifest
        assert one.store.own_replica() != two.store.own_replica()
        assert one.store.meta().store_id == two.store.meta().store_id
    with pytest.raises(StoreExists):
        apply_fresh(plan, into, settings, clock)


def test_a_damaged_store_moves_aside(settings: Settings, tmp_path: Path) -> None:
    """Nothing of it is deleted; tokens go on above all that it may have granted."""
    clock = ManualClock(seed=1)
    path = Path(settings.store_url)
    path.write_bytes(b"rubbish" + path.read_bytes()[7:])
    damaged = path.read_bytes()
    with pytest.raises(MemtendError), open_services(settings=settings, clock=clock):
        pass
    plan = plan_fresh(settings, clock)
    with pytest.raises(StoreExists):
        apply_fresh(plan, str(path), settings, clock)
    report = apply_fresh(plan, str(path), settings, clock, damaged=True)
    assert report.kept is not None
    assert Path(report.kept).read_bytes() == damaged
    with open_services(settings=settings, clock=clock) as services:
        assert services.memory.get("a", "x") == 1
        assert services.verify_store().ok
        fence = leases.acquire(services.store, "door", "next", 1_000).fence
        assert fence.epoch > 3
    assert [p.name for p in tmp_path.iterdir() if "restore-" in p.name] == []


def test_damaged_tables_move_aside(postgres_url: str, tmp_path: Path) -> None:
    clock = ManualClock()
    settings = Settings(store_url=postgres_url, backup_url=f"{tmp_path}/backups")
    with open_services(settings=settings, clock=clock) as services:
        services.memory.put("a", "x", 1)
        services.take_backup()
        services.store.engine.script("UPDATE meta SET crc = 0")
    plan = plan_fresh(settings, clock)
    report = apply_fresh(plan, postgres_url, settings, clock, damaged=True)
    with open_services(settings=settings, clock=clock) as services:
        assert services.memory.get("a", "x") == 1
        verified = services.verify_store()
        assert verified.ok, verified.findings
        assert services.store.engine.script(f"SELECT count(*) FROM {report.kept}.sibling") == [(1,)]
