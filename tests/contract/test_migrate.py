"""Migrating values on every engine: all of them, once, with everything else as it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from memtend.errors import MigrationNotRehearsed, MigrationUnknown, PlanForeign
from memtend.migrate.casting import Move
from memtend.model.migrated import MIGRATED
from memtend.model.record import Labels
from memtend.services import Services
from tests.fixtures.aging import (
    GOLDEN,
    NS,
    VERSIONS,
    item,
    keep,
    migrated,
    records,
    version_at,
)


def test_the_four_samples_become_one_version(aged: Services, tmp_path: Path) -> None:
    """The same items, as the old programs wrote them at four versions, say the same afterwards."""
    for version in VERSIONS:
        source = Path(shutil.copytree(GOLDEN / f"aml-{version}", tmp_path / version))
        for agent in ("agent-0", "agent-1"):
            (source / "memory" / agent).rename(source / f"memory/{agent}-of-{version}")
        assert aged.apply_import(aged.plan_import(str(source))).written == 24
    assert aged.pending_migrations().total == 72
    report = migrated(aged)
    assert (report.written, report.refused, report.changed_since) == (72, 0, 0)
    assert {one.found for one in aged.detect_migrations()} == {"2.0.0"}
    for agent in ("agent-0", "agent-1"):
        spaces = [f"agent/{agent}-of-{version}/patterns" for version in VERSIONS]
        told = [dict(aged.memory.scan(namespace)) for namespace in spaces]
        for key, newest in told[-1].items():
            for found in told:
                for part in ("pattern", "performance", "lifecycle", "tags", "active", "version"):
                    assert found[key][part] == newest[part], (key, part)


def test_importing_again_after_it_changes_nothing(aging: Services) -> None:
    source = str(GOLDEN / "aml-1.1.0")
    aging.apply_import(aging.plan_import(source))
    migrated(aging)
    before = aging.store.meta().seq
    again = aging.apply_import(aging.plan_import(source))
    assert (again.written, aging.store.meta().seq) == (0, before)


def test_it_refuses_what_was_not_rehearsed(aging: Services) -> None:
    keep(aging.memory, 1)
    plan = aging.plan_migration()
    with pytest.raises(MigrationNotRehearsed):
        aging.apply_migration(plan)
    aging.rehearse_migration(aging.plan_migration(to="1.1.0"))
    with pytest.raises(MigrationNotRehearsed):
        aging.apply_migration(plan)
    assert version_at(aging.memory, 1) == "1.0.0"


def test_who_says_so_does_without(aging: Services) -> None:
    """A backup is taken and read all the same, and the next one relies on it."""
    keep(aging.memory, 1)
    report = aging.apply_migration(aging.plan_migration(), rehearsal=False)
    assert (report.written, report.rehearsed) == (1, False)
    again = aging.apply_rollback(aging.plan_rollback())
    assert again.manifest != report.manifest


def test_twice_is_once(aging: Services) -> None:
    keep(aging.memory, *range(5))
    migrated(aging)
    before = aging.store.meta().seq
    plan = aging.plan_migration()
    assert (plan.planned, plan.of(Move.CURRENT)) == (0, 5)
    assert aging.apply_migration(plan, rehearsal=False).written == 0
    assert aging.store.meta().seq == before


def test_step_by_step_is_the_same_as_at_once(aging: Services) -> None:
    keep(aging.memory, *range(3))
    for version in VERSIONS[1:]:
        migrated(aging, to=version)
        assert {version_at(aging.memory, n) for n in range(3)} == {version}
    stepped = records(aging.memory)
    for _ in VERSIONS[1:]:
        aging.apply_rollback(aging.plan_rollback())
    assert {version_at(aging.memory, n) for n in range(3)} == {"1.0.0"}
    migrated(aging)
    at_once = records(aging.memory)
    assert {k: [r.value for r in v] for k, v in stepped.items()} == {
        k: [r.value for r in v] for k, v in at_once.items()
    }


def test_the_way_back_is_exact(aged: Services) -> None:
    aged.apply_import(aged.plan_import(str(GOLDEN / "aml-1.0.0")))
    before = records(aged.memory)
    report = migrated(aged)
    assert records(aged.memory) != before
    plan = aged.plan_rollback(report.run[:8])
    assert (plan.planned, plan.losses) == (24, {})
    aged.apply_rollback(plan)
    assert records(aged.memory) == before
    states = [(one.state, one.written) for one in aged.migration_history()]
    assert states == [("done", 24), ("rolled back", 24)]
    with pytest.raises(MigrationUnknown):
        aged.plan_rollback()


def test_what_was_edited_since_stays_edited(aging: Services) -> None:
    keep(aging.memory, *range(4))
    report = migrated(aging)
    edited = aging.memory.get(NS, "p00001") | {"active": False}
    aging.memory.put(NS, "p00001", edited)
    aging.memory.put(NS, "p00002", item(2), labels=Labels(kind="pattern"))
    plan = aging.plan_rollback(report.run)
    assert (plan.planned, plan.of(Move.EDITED)) == (2, 1)
    done = aging.apply_rollback(plan)
    assert (done.written, done.edited, done.kept[0].key) == (2, 1, "p00001")
    assert aging.memory.get(NS, "p00001") == edited
    assert version_at(aging.memory, 0) == "1.0.0"


def test_rows_that_changed_since_the_plan_are_left(aged: Services) -> None:
    keep(aged.memory, *range(4))
    plan = aged.plan_migration()
    aged.memory.put(NS, "p00000", {"mine": 1})
    aged.rehearse_migration(plan)
    aged.memory.put(NS, "p00001", {"mine": 2})
    aged.memory.delete(NS, "p00002")
    keep(aged.memory, 9)
    report = aged.apply_migration(plan)
    assert (report.planned, report.written, report.changed_since) == (4, 1, 3)
    assert aged.memory.get(NS, "p00001") == {"mine": 2}
    assert version_at(aged.memory, 9) == "1.0.0"
    assert aged.pending_migrations().counts == {"pattern 1.0.0": 1}


def test_what_cannot_be_cast_blocks_only_itself(aging: Services) -> None:
    keep(aging.memory, *range(3))
    bad = item(7) | {"version": "9.9.9"}
    aging.memory.put(NS, "bad", bad, labels=Labels(kind="pattern"))
    plan = aging.plan_migration()
    assert (plan.planned, plan.of(Move.REFUSED)) == (3, 1)
    assert (plan.refused[0].key, "9.9.9" in plan.refused[0].why) == ("bad", True)
    aging.rehearse_migration(plan)
    report = aging.apply_migration(plan)
    assert (report.written, report.refused, report.kept[0].key) == (3, 1, "bad")
    assert aging.memory.get(NS, "bad") == bad


def test_a_plan_of_another_store_is_refused(aging: Services, tmp_path: Path) -> None:
    keep(aging.memory, 1)
    plan = aging.plan_migration().model_copy(update={"store_id": "0" * 32})
    for attempt in (aging.rehearse_migration, aging.apply_migration):
        with pytest.raises(PlanForeign):
            attempt(plan)


def test_a_record_says_where_it_came_from(aging: Services) -> None:
    keep(aging.memory, 1)
    report = migrated(aging)
    [told] = aging.memory.siblings(NS, "p00001")
    label = told.labels.extra[MIGRATED]
    assert (label["family"], label["from"], label["run"]) == ("aml", "1.0.0", report.run)


def test_an_unknown_version_is_refused(aging: Services) -> None:
    with pytest.raises(MigrationUnknown):
        aging.plan_migration(to="3.1.4")
    with pytest.raises(MigrationUnknown):
        aging.plan_migration("nobody's")
