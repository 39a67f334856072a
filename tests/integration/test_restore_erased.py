"""What was erased stays erased, whichever backup is restored, and after an undo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.backup.restore_plan import Mode, Scope
from memtend.clock import ManualClock
from memtend.model.record import Labels
from memtend.model.subject import Subject
from memtend.services import Services, open_services
from memtend.serving.fresh import apply_fresh, plan_fresh
from memtend.settings import Settings
from memtend.store.snapshot import snapshot


@pytest.fixture
def services(lasting_url: str, clock: ManualClock, tmp_path: Path) -> Iterator[Services]:
    """A store whose backup holds gudrun; then all that is gudrun's was erased."""
    settings = Settings(backup_url=f"{tmp_path}/backups", plans_url=f"{tmp_path}/plans")
    with open_services(lasting_url, settings=settings, clock=clock) as opened:
        memory = opened.memory
        memory.put("customers/gudrun", "profile", {"name": "gudrun"})
        memory.put("notes", "hers", 1, labels=Labels(agent="gudrun"))
        memory.put("notes", "other", 1, labels=Labels(agent="bob"))
        memory.put("notes", "gone", 1, labels=Labels(agent="gudrun"))
        memory.delete("notes", "gone")
        memory.get("customers/gudrun", "profile")
        memory.config.grant("gudrun", "notes", "write", "owner")
        memory.config.grant("bob", "notes", "write", "owner")
        memory.flush()
        opened.take_backup()
        clock.advance(1_000)
        yield opened
        report = opened.verify_store()
        assert report.ok, report.findings


def erase(services: Services) -> None:
    for subject in (Subject.of_namespace("customers/gudrun"), Subject.of_agent("gudrun")):
        services.apply_erase(services.plan_erase(subject))


def traces(services: Services) -> list[str]:
    """Every place in the state that still names her."""
    found = []
    with snapshot(services.store) as view:
        for rows in (view.rows(), view.log(), view.side(), view.audit(), view.access()):
            found += [repr(row) for row in rows if "gudrun" in repr(row)]
    found += [path for path in services.store.namespaces.load() if "gudrun" in path]
    return found


def test_a_restore_brings_nothing_back(services: Services, clock: ManualClock) -> None:
    """Not the rows, not their names in log, audit trail, grants and access counts."""
    erase(services)
    assert traces(services) == []
    plan = services.plan_restore()
    assert plan.erased == 2
    report = services.apply_restore(plan)
    assert report.erased == 2
    assert traces(services) == []
    assert services.memory.get("notes", "other") == 1
    clock.advance(1)
    services.memory.put("customers/gudrun", "profile", "again")
    assert services.memory.get("customers/gudrun", "profile") == "again"


def test_parts_bring_nothing_back(services: Services) -> None:
    erase(services)
    assert services.apply_restore(services.plan_restore(mode=Mode.REASSERT)).written == 0
    scope = Scope(namespace="customers/gudrun", key="profile")
    assert services.plan_restore(scope=scope).added == 0
    assert traces(services) == []


def test_what_a_restore_replaced_goes_too(services: Services) -> None:
    """It held her as well; there is nothing left to undo with."""
    services.apply_restore(services.plan_restore())
    assert services.kept_stores()
    erase(services)
    assert services.kept_stores() == []
    assert traces(services) == []


def test_an_undo_brings_nothing_back(services: Services) -> None:
    """A store that was kept before an erasure that came with the restore's own ledger."""
    erase(services)
    services.take_backup()
    old = services.memory
    old.put("notes", "since", 1)
    services.apply_restore(services.plan_restore())
    services.undo_restore()
    assert services.memory.get("notes", "since") == 1
    assert traces(services) == []


def test_a_later_backup_tells_a_new_place(services: Services, tmp_path: Path) -> None:
    """Nothing but the repository is known there; its newest backup knows of the erasure."""
    erase(services)
    services.take_backup()
    clock = ManualClock(seed=4)
    plan = plan_fresh(services.settings, clock, manifest="1")
    assert plan.erased == 2
    apply_fresh(plan, f"{tmp_path}/fresh.db", services.settings, clock)
    with open_services(f"{tmp_path}/fresh.db", settings=services.settings, clock=clock) as fresh:
        assert traces(fresh) == []
        assert fresh.memory.get("notes", "other") == 1
        assert fresh.verify_store().ok
