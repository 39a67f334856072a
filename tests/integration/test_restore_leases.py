"""Leases and a restore: tokens go on, whoever held or waited begins again, what was seen stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import StaleLease
from memtend.model.lease import Fence, Mode
from memtend.services import open_services
from memtend.serving.fresh import apply_fresh, plan_fresh
from memtend.settings import Settings
from memtend.store import leases
from memtend.store.leases import Waiting, Wish

R = "door"


@pytest.fixture
def settings(lasting_url: str, tmp_path: Path) -> Settings:
    return Settings(store_url=lasting_url, backup_url=f"{tmp_path}/backups")


def test_a_restore_in_place(settings: Settings, clock: ManualClock) -> None:
    with open_services(settings=settings, clock=clock) as services:
        memory, store = services.memory, services.store
        memory.put("n", "k", 1)
        memory.leases.accept("printer", Fence(0, 3))
        services.take_backup()
        memory.leases.accept("printer", Fence(0, 7))
        held = memory.leases.acquire(R, 3_600_000)
        memory.leases.accept(R, held.fence)
        reader = memory.leases.acquire("book", 3_600_000, "read")
        wish = Wish(R, "waits", 3_600_000, Mode.EXCLUSIVE, "ticket", waits=True)
        assert isinstance(leases.ask(store, wish), Waiting)
        services.apply_restore(services.plan_restore())
        assert memory.leases.held() == []
        for lease in (held, reader):
            with pytest.raises(StaleLease):
                memory.leases.renew(lease)
        for resource, fence in ((R, held.fence), ("printer", Fence(0, 6))):
            with pytest.raises(StaleLease):
                memory.leases.accept(resource, fence)
        memory.leases.accept("printer", Fence(0, 7))
        after = leases.ask(store, wish)
        assert not isinstance(after, Waiting)
        assert after.fence.epoch > held.fence.epoch
        assert after.fence.n == held.fence.n + 1
        services.undo_restore()
        assert memory.leases.held() == []  # what was held before the restore is not held again
        assert memory.leases.acquire(R).fence > after.fence
        with pytest.raises(StaleLease):
            memory.leases.accept("printer", Fence(0, 6))
        report = services.verify_store()
        assert report.ok, report.findings


def test_a_restore_into_a_new_place(settings: Settings, clock: ManualClock, tmp_path: Path) -> None:
    """What the backup has seen is known there, too."""
    with open_services(settings=settings, clock=clock) as services:
        services.memory.leases.accept("printer", Fence(0, 7))
        held = services.memory.leases.acquire(R)
        services.take_backup()
    again = ManualClock(seed=1)
    into = f"{tmp_path}/second.db"
    apply_fresh(plan_fresh(settings, again), into, settings, again)
    with open_services(into, settings=settings, clock=again) as services:
        with pytest.raises(StaleLease):
            services.memory.leases.accept("printer", Fence(0, 6))
        assert services.memory.leases.held() == []
        assert services.memory.leases.acquire(R).fence > held.fence
