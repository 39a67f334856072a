"""One migration after another, with edits and syncs in between: each is taken back by itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import MigrationNotRehearsed, MigrationUnknown
from memtend.limits import MIGRATION_BEFORE_MAX
from memtend.migrate.casting import Move
from memtend.model.migrated import MIGRATED
from memtend.model.record import Labels
from memtend.services import Services
from tests.fixtures.aging import GOLDEN, NS, item, keep, migrated, records, version_at


def test_what_was_edited_between_two_migrations_comes_back(aged: Services) -> None:
    keep(aged.memory, *range(3))
    migrated(aged, to="1.1.0")
    aged.memory.put(NS, "p00001", aged.memory.get(NS, "p00001") | {"active": False})
    before = records(aged.memory)
    assert migrated(aged).written == 3
    aged.apply_rollback(aged.plan_rollback())
    assert records(aged.memory) == before


def test_a_label_of_somebodys_own_comes_back(aging: Services) -> None:
    for key, said in (("text", "mine"), ("object", {"content": 5}), ("forged", {"run": "x"})):
        labels = Labels(kind="pattern", extra={MIGRATED: said})
        aging.memory.put(NS, key, item(1), labels=labels)
    before = records(aging.memory)
    migrated(aging)
    aging.apply_rollback(aging.plan_rollback())
    assert records(aging.memory) == before


def test_what_is_migrated_and_rewritten_for_ever_does_not_grow_for_ever(aging: Services) -> None:
    depths = []
    for n in range(2 * MIGRATION_BEFORE_MAX):
        keep_labels = None if n else Labels(kind="pattern")
        aging.memory.put(NS, "k", item(n), labels=keep_labels)
        assert migrated(aging).written == 1
        [told] = aging.memory.siblings(NS, "k")
        depths.append(json.dumps(told.labels.extra).count('"run"'))
    assert max(depths) == MIGRATION_BEFORE_MAX


def test_the_later_run_goes_back_first(aged: Services) -> None:
    keep(aged.memory, *range(3))
    before = records(aged.memory)
    first = migrated(aged, to="1.1.0")
    second = migrated(aged)
    plan = aged.plan_rollback(first.run)
    assert (plan.planned, plan.of(Move.MOVED_ON), second.run in plan.refused[0].why) == (0, 3, True)
    done = aged.apply_rollback(plan)
    assert (done.written, done.moved_on) == (0, 3)
    states = {one.run: one.state for one in aged.migration_history()}
    assert (states[first.run], states[second.run]) == ("done", "done")
    aged.apply_rollback(aged.plan_rollback())
    assert version_at(aged.memory, 0) == "1.1.0"
    aged.apply_rollback(aged.plan_rollback())
    assert records(aged.memory) == before


def test_a_way_back_has_none_itself(aging: Services) -> None:
    keep(aging.memory, 1)
    migrated(aging)
    back = aging.apply_rollback(aging.plan_rollback())
    with pytest.raises(MigrationUnknown):
        aging.plan_rollback(back.run)


def test_what_was_edited_before_a_migration_is_edited_after_it(
    aged: Services, tmp_path: Path
) -> None:
    """A changed source replaces what nobody has touched, and nothing else."""
    source = Path(shutil.copytree(GOLDEN / "aml-1.0.0", tmp_path / "source"))
    aged.apply_import(aged.plan_import(str(source)))
    space = "agent/agent-0/patterns"
    (early, value), (late, _), *_ = aged.memory.scan(space)
    aged.memory.put(space, early, dict(value) | {"mine": 1})
    migrated(aged, to="1.1.0")
    aged.memory.put(space, late, dict(aged.memory.get(space, late)) | {"mine": 2})
    migrated(aged)
    file = source / "memory/agent-0/patterns.json"
    changed = [one | {"theirs": 3} for one in json.loads(file.read_text())]
    file.write_text(json.dumps(changed))
    aged.apply_import(aged.plan_import(str(source)))
    told = {key: json.dumps(value) for key, value in aged.memory.scan(space)}
    for key, text in told.items():
        assert ('"mine"' in text, '"theirs"' in text) == ((True, False) if key in (early, late) else
                                                         (False, True)), key  # fmt: skip


@pytest.mark.parametrize("when", ["before", "after the rehearsal"])
def test_a_backup_that_is_gone_is_taken_again(aging: Services, when: str) -> None:
    clock = aging.clock
    assert isinstance(clock, ManualClock)
    clock.advance(1_000)
    keep(aging.memory, 1)
    first = aging.rehearse_migration(aging.plan_migration())
    clock.advance(1_000)
    plan = aging.plan_migration()
    if when != "before":
        aging.rehearse_migration(plan)
    shutil.rmtree(aging.settings.backup_url)
    report = aging.apply_migration(plan, rehearsal=when != "before")
    assert report.manifest != first.manifest
    assert (Path(report.url) / report.manifest).exists()
    [told] = [one for one in aging.migration_history() if one.run == report.run]
    assert told.manifest == report.manifest


def test_a_rehearsal_before_a_restore_says_nothing_after_it(aging: Services) -> None:
    clock = aging.clock
    assert isinstance(clock, ManualClock)
    keep(aging.memory, 1)
    backup = aging.take_backup()
    clock.advance(1_000)
    keep(aging.memory, 2)
    plan = aging.plan_migration()
    aging.rehearse_migration(plan)
    clock.advance(1_000)
    aging.apply_restore(aging.plan_restore(manifest=backup.manifest))
    with pytest.raises(MigrationNotRehearsed):
        aging.apply_migration(plan)
