"""A migration of the schema that is cut off, crowded or given something odd changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from memtend.errors import (
    InvalidSettings,
    SchemaRefused,
    SchemaWrong,
    StoreBusy,
    StoreMissing,
    StoreUnavailable,
)
from memtend.serving.upgrading import (
    _step,
    apply_schema,
    bring_forward,
    plan_schema,
    schema_state,
)
from memtend.store import migrations, schema, snapshots
from memtend.store.snapshots import pre_stores
from memtend.store.upgrade_ground import Hand
from memtend.store.upgrade_postgres import ServerGround
from memtend.store.upgrading import ground_of, key_of, move, verify
from tests.fixtures.older import OLDER, Make, Older, held_by


def applied(older: Older) -> object:
    plan = plan_schema(older.url, older.settings, older.clock)
    return apply_schema(plan, older.settings, older.clock)


def test_writers_wait_and_readers_go_on(older_newest: Older) -> None:
    with ground_of(older_newest.url) as ground, ground_of(older_newest.url) as other:
        other.engine.hurry(50)
        with ground.revising() as hand:
            hand.to(schema.HEAD)
            rows = other.engine.read("meta")[0][7]
            with pytest.raises(StoreBusy), other.engine.write() as tx:
                tx.fetch("meta_locked")
        assert other.engine.read("meta")[0][7] == rows
    assert schema_state(older_newest.url).found == schema.HEAD


def test_several_processes_that_migrate_at_once_do_it_once(older_newest: Older) -> None:
    done = []

    def start() -> None:
        done.append(bring_forward(older_newest.url, older_newest.settings, older_newest.clock))

    threads = [Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 3
    assert sum(report is not None and report.applied for report in done) == 1
    with ground_of(older_newest.url) as ground:
        assert len(pre_stores(ground.engine)) == 1


def test_damage_is_found_on_the_copy(older_newest: Older) -> None:
    with ground_of(older_newest.url) as ground:
        ground.engine.script("UPDATE sibling SET size = size + 1 WHERE seq = 3")
    before = held_by(older_newest.url)
    with pytest.raises(SchemaWrong, match="parts are damaged"):
        applied(older_newest)
    assert held_by(older_newest.url) == before


def test_damage_of_the_result_is_said_in_its_history(older_newest: Older) -> None:
    with ground_of(older_newest.url) as ground:
        ground.engine.script("UPDATE sibling SET size = size + 1 WHERE seq = 3")
    plan = plan_schema(older_newest.url, older_newest.settings, older_newest.clock)
    report = apply_schema(plan, older_newest.settings, older_newest.clock, rehearsal=False)
    assert not report.verified
    with ground_of(older_newest.url) as ground:
        key = key_of(ground, older_newest.settings.key_path, older_newest.clock)
        step = _step(ground, plan, older_newest.clock, 1_000, lose=False)._replace(run=report.run)
        with pytest.raises(SchemaWrong, match="holds it as it was"):
            verify(ground, step, older_newest.clock, key)
        *_, run = migrations.opened(ground.engine.read("migrations"), older_newest.url)
        assert run.state == "failed"


def test_a_row_that_a_revision_loses_undoes_it(
    older_newest: Older, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The revision itself is the product's; the loss is planted after it, before the commit."""
    before = held_by(older_newest.url)
    go = schema._go

    def losing(connection: object, wanted: str) -> None:
        go(connection, wanted)
        if wanted == schema.HEAD:
            connection.exec_driver_sql("DELETE FROM sibling WHERE seq = 3")  # type: ignore[attr-defined]

    monkeypatch.setattr(schema, "_go", losing)
    plan = plan_schema(older_newest.url, older_newest.settings, older_newest.clock)
    with pytest.raises(SchemaWrong, match=r"17 rows not all are the same afterwards \(16\)"):
        apply_schema(plan, older_newest.settings, older_newest.clock, rehearsal=False)
    assert held_by(older_newest.url) == before


def test_a_lost_connection_leaves_the_old_schema(older_store: Make) -> None:
    older = older_store("postgres", OLDER[-1])
    before = held_by(older.url)

    class Cut(ServerGround):
        def keep(self, hand: Hand, name: str, found: str) -> None:
            super().keep(hand, name, found)
            with psycopg.connect(older.url, autocommit=True) as other:
                pid = hand.connection.info.backend_pid
                other.execute("SELECT pg_terminate_backend(%s)", (pid,))

    with ground_of(older.url) as ground:
        key = key_of(ground, older.settings.key_path, older.clock)
        plan = plan_schema(older.url, older.settings, older.clock)
        step = _step(ground, plan, older.clock, 1_000, lose=False)
        cut = Cut(ground.engine, older.url)  # type: ignore[arg-type]
        with pytest.raises(StoreUnavailable):
            move(cut, step, older.clock, key)
    assert held_by(older.url) == before
    applied(older)
    assert older.opened().get("notes", "k4") == "ä中"


def test_what_a_plan_rests_on_must_still_be_so(older_store: Make, tmp_path: Path) -> None:
    older = older_store("file", OLDER[-1])
    plan = plan_schema(older.url, older.settings, older.clock)
    first = older_store("file", "0001")
    with pytest.raises(SchemaRefused, match="another store"):
        apply_schema(plan, first.settings, older.clock)
    stale = plan.model_copy(update={"found": "0001"})
    with pytest.raises(SchemaRefused, match="was of schema 0001 when this was planned"):
        apply_schema(stale, older.settings, older.clock, rehearsal=False)
    with pytest.raises(SchemaRefused, match="no revision 0009"):
        plan_schema(older.url, older.settings, older.clock, "0009")
    assert older.settings.key_path is not None
    older.settings.key_path.unlink()
    with pytest.raises(SchemaRefused, match="key of its audit trail"):
        plan_schema(older.url, older.settings, older.clock)
    for url, error in (
        (f"{tmp_path}/none.db", StoreMissing),
        ("sqlite://", InvalidSettings),
        ("mysql://x/y", InvalidSettings),
    ):
        with pytest.raises(error):
            schema_state(url)
    assert not (tmp_path / "none.db").exists()


def test_a_disk_without_room_for_copies_is_refused(
    older_store: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = older_store("file", OLDER[-1])
    before = held_by(older.url)
    full = shutil.disk_usage("/")._replace(free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(SchemaRefused, match="1,000 are free"):
        applied(older)
    assert held_by(older.url) == before


def test_what_a_killed_rehearsal_left_is_removed(older_newest: Older) -> None:
    with ground_of(older_newest.url) as ground:
        left = snapshots.rehearsal_name(ground.engine, "ab" * 16)
        if ground.engine.kind == "sqlite":
            Path(left).write_bytes(b"half a copy")
        else:
            ground.engine.create_schema(left)  # type: ignore[attr-defined]
        with ground.copied("cd" * 16, OLDER[-1]):
            if ground.engine.kind == "sqlite":
                assert not Path(left).exists()
            else:
                assert left not in ground.engine.schemas("public")  # type: ignore[attr-defined]
        if ground.engine.kind == "postgresql":
            assert ground.engine.schemas("public") == ["public"]  # type: ignore[attr-defined]


def test_a_name_too_long_for_the_copy_is_refused(older_store: Make) -> None:
    """PostgreSQL would cut it off, and with it the time at which the copy is removed."""
    older, long = older_store("postgres", OLDER[-1]), "agents_of_the_whole_department"
    with psycopg.connect(older.url, autocommit=True) as server:
        server.execute(f"ALTER SCHEMA public RENAME TO {long}")
        server.execute(f"ALTER DATABASE {server.info.dbname} SET search_path TO {long}")
    with pytest.raises(SchemaRefused, match="rename it to at most 26 bytes"):
        applied(older)
    state = schema_state(older.url)
    assert state.found == OLDER[-1]
