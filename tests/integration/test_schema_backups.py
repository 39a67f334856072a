"""Backups across schemas: those of every older one restore, and those of a newer one do not."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from memtend.clock import ManualClock
from memtend.errors import StoreTooNew
from memtend.memory import Memory
from memtend.services import open_services
from memtend.serving.fresh import apply_fresh, plan_fresh
from memtend.serving.upgrading import (
    apply_schema,
    bring_forward,
    plan_schema,
    rollback_schema,
)
from memtend.settings import Settings
from memtend.store import migrations, schema
from memtend.store.migrations import Migration
from memtend.store.upgrading import ground_of
from tests.fixtures.older import LATER_MS, OLDER, STORES, Make


def check_values(memory: Memory) -> None:
    assert memory.get("notes", "k6") == {"a": {"b": []}}
    assert memory.get("notes", "finding")["task"] == "task-900"
    assert len(memory.siblings("notes", "both")) == 2
    assert memory.get("counts", "c") == 3
    assert memory.members("sets", "s") == ["a", 3]


@pytest.mark.parametrize("revision", OLDER)
def test_a_backup_of_an_older_schema_restores_into_a_new_store(
    revision: str, lasting_url: str, tmp_path: Path
) -> None:
    clock = ManualClock(LATER_MS)
    backups = shutil.copytree(STORES / f"{revision}-backup", tmp_path / "backups")
    key = shutil.copy(STORES / f"{revision}.db.key", tmp_path / "key")
    settings = Settings(backup_url=str(backups), key_path=Path(key))
    apply_fresh(plan_fresh(settings, clock), lasting_url, settings, clock)
    with open_services(lasting_url, settings=settings, clock=clock) as services:
        check_values(services.memory)
        report = services.verify_store()
        assert report.ok, report.findings
        if revision == "0002":
            assert [one.id for one in services.memory.messages.peek("bob")] == ["m-1", "m-2"]


def test_after_a_migration_the_next_backup_is_full_and_older_ones_restore(
    older_store: Make, tmp_path: Path
) -> None:
    older = older_store("file", "0002")
    shutil.copytree(STORES / "0002-backup", older.settings.backup_url)
    bring_forward(older.url, older.settings, older.clock)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with open_services(settings=older.settings, clock=older.clock) as services:
        memory = services.memory
        drill = services.drill(scratch=str(scratch))
        assert drill.ok, drill.checks
        assert f"taken at 0002, open at {schema.HEAD}" in [check.fact for check in drill.checks]
        [before] = services.backups().backups
        memory.put("notes", "k6", "later")
        report = services.take_backup()
        assert report.kind == "full"
        services.apply_restore(services.plan_restore(manifest=before.manifest))
        check_values(memory)
        runs = migrations.opened(memory.store.engine.read("migrations"), older.url)
        assert [(run.what, run.state) for run in runs] == [("schema", "done")]
        assert services.verify_store().ok
        services.undo_restore()
        assert memory.get("notes", "k6") == "later"


def test_a_backup_of_a_newer_schema_is_refused(
    clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(store_url=f"{tmp_path}/s.db", backup_url=f"{tmp_path}/b")
    with open_services(settings=settings, clock=clock) as services:
        services.memory.put("a", "k", 1)
        with monkeypatch.context() as newer:
            newer.setattr(schema, "HEAD", "0009")
            report = services.take_backup()
        with pytest.raises(StoreTooNew, match=r"backed up as .*0009"):
            services.plan_restore()
        with pytest.raises(StoreTooNew):
            plan_fresh(settings, clock)
        assert services.verify_backup().damage_count == 0
        assert services.take_backup().kind == report.kind == "full"
        services.apply_restore(services.plan_restore())
        assert services.memory.get("a", "k") == 1


@pytest.mark.parametrize("engine", ["file", "postgres"])
def test_what_a_restore_kept_before_a_migration_comes_back_after_it(
    older_store: Make, engine: str
) -> None:
    """Undo brings back a store of the older schema; it is brought forward on the way."""
    older = older_store(engine, "0002")
    until_ms = LATER_MS + 3_600_000
    if engine == "file":
        path = older.url.removeprefix("sqlite:///")
        shutil.copy(path, f"{path}.kept-{LATER_MS}-{until_ms}")
    else:
        with ground_of(older.url) as ground, ground.revising() as hand:
            ground.keep(hand, f"public_kept_{LATER_MS}_{until_ms}", "0002")
    bring_forward(older.url, older.settings, older.clock)
    with open_services(settings=older.settings, clock=older.clock) as services:
        services.memory.put("notes", "k6", "later")
        services.undo_restore()
        check_values(services.memory)
        report = services.verify_store()
        assert report.ok, report.findings


def test_a_restore_rolls_back_what_it_takes_back(clock: ManualClock, tmp_path: Path) -> None:
    """Runs over values that the restored state does not know; those over the schema stay."""
    settings = Settings(store_url=f"{tmp_path}/s.db", backup_url=f"{tmp_path}/b")
    with open_services(settings=settings, clock=clock) as services:

        def remember(run: str, what: str, state: str) -> None:
            row = Migration(run, what, "aml", "1.0.0", "2.0.0", "", "", state, "{}", len(run))
            with services.store.engine.write() as tx:
                migrations.save(tx, row)

        def known() -> dict[str, str]:
            rows = services.store.engine.read("migrations")
            return {one.run: one.state for one in migrations.opened(rows, services.store.url)}

        remember("before", "values", "done")
        services.memory.put("a", "k", 1)
        services.take_backup()
        remember("after", "values", "done")
        remember("halfway", "values", "running")
        remember("tried", "values", "rehearsed")
        remember("schema", "schema", "done")
        remember("before", "values", "rolled back")
        services.memory.put("a", "k", 2)
        services.apply_restore(services.plan_restore())
        restored = {"before": "done", "after": "rolled back", "halfway": "rolled back",
                    "tried": "rehearsed", "schema": "done"}  # fmt: skip
        assert known() == restored
        services.undo_restore()
        assert known()["after"] == "done"
        assert services.verify_store().ok


def test_an_older_program_finds_its_schema_after_a_rollback(older_store: Make) -> None:
    """Tables, columns and indexes are those that its own revisions made."""
    older = older_store("postgres", "0002")

    def tables() -> list[tuple[str, ...]]:
        with psycopg.connect(older.url) as server:
            return server.execute(
                "SELECT tablename::text, indexdef FROM pg_indexes WHERE schemaname = 'public' "
                "ORDER BY 1, 2"
            ).fetchall()

    before = tables()
    plan = plan_schema(older.url, older.settings, older.clock)
    apply_schema(plan, older.settings, older.clock, rehearsal=False)
    after = tables()
    assert after != before
    rollback_schema(older.url, older.settings, older.clock, rehearsal=False)
    assert tables() == before
    rollback_schema(older.url, older.settings, older.clock, snapshot=True, lose=True)
    assert tables() == after
