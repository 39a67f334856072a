"""Restore parts of a store: by agent, namespace or key, as new writes (CRDT_SPEC 8.3, Ex 13)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from memtend.backup.restore_plan import Mode, Scope
from memtend.clock import ManualClock
from memtend.errors import RestoreRefused
from memtend.model.record import Labels
from memtend.services import Services, open_services
from memtend.settings import Settings
from tests.fixtures.stores import beside

HOUR_MS = 3_600_000


@pytest.fixture
def services(store_url: str, clock: ManualClock, tmp_path: Path) -> Iterator[Services]:
    """A store that was backed up and has changed since."""
    settings = Settings(backup_url=f"{tmp_path}/backups")
    with open_services(store_url, settings=settings, clock=clock) as opened:
        memory = opened.memory
        for agent in ("ann", "bob"):
            memory.put(f"task/{agent}", "state", f"old {agent}", labels=Labels(agent=agent))
            memory.put(f"task/{agent}", "gone", ["y" * 2_000], labels=Labels(agent=agent))
        memory.put("task/ann", "short", 1, ttl_ms=HOUR_MS)
        memory.put("task/ann", "long", 1, ttl_ms=100 * HOUR_MS, labels=Labels(importance=0.9))
        memory.increment("counts", "seen", 3)
        memory.add("sets", "s", "red")
        beside(memory, "torn", "x", 1)
        beside(memory, "torn", "x", 2)
        opened.take_backup()
        clock.advance(2 * HOUR_MS)
        for agent in ("ann", "bob"):
            memory.put(f"task/{agent}", "state", f"new {agent}")
            memory.delete(f"task/{agent}", "gone")
            memory.put(f"task/{agent}", "since", 1)
        memory.delete("task/ann", "long")
        memory.increment("counts", "seen", 10)
        memory.remove("sets", "s", "red")
        memory.add("sets", "s", "blue")
        memory.put("torn", "x", 3)
        yield opened
        report = opened.verify_store()
        assert report.ok, report.findings


def restored(services: Services, scope: Scope, mode: Mode | None = None) -> int:
    plan = services.plan_restore(scope=scope, mode=mode)
    report = services.apply_restore(plan)
    assert report.written == plan.added + plan.changed
    assert services.apply_restore(plan).written == 0  # safe to repeat
    return report.written


def test_one_key(services: Services) -> None:
    """Deleted since, and present again everywhere: it is a new, later event."""
    replica = services.store.own_replica()
    before = services.store.meta().n
    assert restored(services, Scope(namespace="task/ann", key="gone")) == 1
    assert services.memory.get("task/ann", "gone") == ["y" * 2_000]
    assert services.memory.get("task/ann", "state") == "new ann"
    record = services.memory.read("task/ann", "gone")
    assert record is not None
    assert record.dot.replica == replica
    assert record.dot.n > before


def test_rejoin_leaves_it_deleted(services: Services) -> None:
    """Ex 13: a restore of the whole alone does not make an old value a new event."""
    dot = services.memory.put("k", "x", 1)
    services.take_backup()
    services.memory.delete("k", "x")
    report = services.apply_restore(services.plan_restore())
    record = services.memory.read("k", "x")
    assert record is not None
    assert record.dot == dot
    # Ex 12: the restored store must not mint the old id's next number.
    assert services.memory.put("k", "y", 1).replica == report.replica != dot.replica


def test_a_namespace_keeps_what_was_added_since(services: Services) -> None:
    """Labels and deadlines come back as they were; an expired record stays gone."""
    assert restored(services, Scope(namespace="task/ann")) == 3
    memory = services.memory
    assert memory.get("task/ann", "state") == "old ann"
    assert memory.get("task/ann", "since") == 1
    assert memory.get("task/ann", "short") is None
    assert memory.get("task/bob", "state") == "new bob"
    record = memory.read("task/ann", "long")
    assert record is not None
    assert record.labels.importance == 0.9
    assert record.expires_at is not None
    assert record.expires_at.timestamp() * 1_000 == services.clock.now_ms() + 98 * HOUR_MS


def test_an_agent(services: Services) -> None:
    assert restored(services, Scope(agent="bob")) == 2
    assert services.memory.get("task/bob", "state") == "old bob"
    assert services.memory.get("task/ann", "state") == "new ann"


def test_everything_again(services: Services) -> None:
    """Counters by the difference, set elements added, siblings beside each other again."""
    restored(services, Scope(), Mode.REASSERT)
    memory = services.memory
    assert memory.get("counts", "seen") == 3
    assert memory.members("sets", "s") == ["blue", "red"]
    assert sorted(r.value for r in memory.siblings("torn", "x")) == [1, 2]
    assert memory.get("task/ann", "since") == 1


def test_only_what_differs(services: Services) -> None:
    """A record of a namespace that the backup does not have is no reason to do anything."""
    services.memory.put("counts", "later", 1, ttl_ms=1)
    plan = services.plan_restore(scope=Scope(namespace="counts"))
    assert (plan.added, plan.changed) == (0, 1)
    assert services.apply_restore(plan).written == 1


def test_a_part_has_no_epoch(services: Services) -> None:
    with pytest.raises(RestoreRefused):
        services.plan_restore(scope=Scope(agent="ann"), mode=Mode.EVERYBODY)
    with pytest.raises(ValidationError):
        Scope(key="x")
