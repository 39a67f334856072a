"""Taking a schema back, by its revisions or by the snapshot; and what is refused untouched."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from memtend import Memory
from memtend.errors import NothingKept, SchemaRefused, SchemaWrong, StoreTooNew
from memtend.model.subject import Subject
from memtend.services import open_services
from memtend.serving.upgrading import (
    apply_schema,
    bring_forward,
    plan_schema,
    rollback_schema,
    schema_before,
    schema_state,
)
from memtend.store import schema
from memtend.store.snapshots import pre_stores
from memtend.store.upgrading import ground_of
from memtend.store.verify import verify_store
from tests.fixtures.older import OLDER, Make, Older, dump_of, held_by, state_of
from tests.fixtures.stores import run_sql

NEWER = "UPDATE alembic_version SET version_num = '0009'"


@pytest.fixture
def forward(older_newest: Older) -> Older:
    """Brought to the newest schema."""
    plan = plan_schema(older_newest.url, older_newest.settings, older_newest.clock)
    apply_schema(plan, older_newest.settings, older_newest.clock, rehearsal=False)
    return older_newest


def back(older: Older, **more: Any) -> Any:
    return rollback_schema(older.url, older.settings, older.clock, **more)


def test_what_was_written_since_stays(forward: Older) -> None:
    with forward.opened() as memory:
        memory.put("notes", "since", 1)
    assert schema_before(forward.url) == OLDER[-1]
    report = back(forward)
    assert (report.found, report.wanted, report.losses) == (schema.HEAD, OLDER[-1], ())
    assert schema_state(forward.url).found == OLDER[-1]
    bring_forward(forward.url, forward.settings, forward.clock)
    with forward.opened() as memory:
        assert memory.get("notes", "since") == 1


@pytest.mark.parametrize("engine", ["file", "postgres"])
def test_rows_without_a_place_are_lost_only_where_that_is_said(
    older_store: Make, engine: str
) -> None:
    older = older_store(engine, "0002")
    before = held_by(older.url)
    with pytest.raises(SchemaRefused, match=r"3 rows of delivery.*1 rows of peer"):
        back(older)
    assert held_by(older.url) == before
    report = back(older, lose=True)
    assert ("peer", "", 1) in report.losses
    assert schema_state(older.url).found == "0001"
    with pytest.raises(SchemaRefused, match="first revision"):
        back(older)


def test_the_snapshot_comes_back_and_a_line_of_history_begins(forward: Older) -> None:
    with forward.opened() as memory:
        memory.put("notes", "since", 1)
        was = memory.store.meta()
        replica = memory.store.own_replica()
    with pytest.raises(SchemaRefused, match="changes were written since"):
        back(forward, snapshot=True)
    report = back(forward, snapshot=True, lose=True)
    assert report.wanted == schema_state(forward.url).found == OLDER[-1]
    assert "access_log" not in repr(dump_of(forward.url))
    bring_forward(forward.url, forward.settings, forward.clock)
    with forward.opened() as memory:
        assert memory.get("notes", "since") is None
        now = memory.store.meta()
        assert memory.store.own_replica() != replica
        assert (now.lease_epoch, now.seq) > (was.lease_epoch, was.seq)
        assert verify_store(memory.store).ok


def test_a_damaged_snapshot_takes_no_place(forward: Older) -> None:
    with ground_of(forward.url) as ground:
        [snapshot] = pre_stores(ground.engine)
        if ground.engine.kind == "sqlite":
            with closing(sqlite3.connect(snapshot.name)) as kept, kept:
                kept.execute("DELETE FROM sibling WHERE seq = 3")
        else:
            ground.engine.script(f"DELETE FROM {snapshot.name}.sibling WHERE seq = 3")
    before = state_of(forward.url)
    with pytest.raises(SchemaWrong, match="is damaged"):
        back(forward, snapshot=True)
    assert state_of(forward.url) == before
    with forward.opened() as memory:
        assert verify_store(memory.store).ok


def test_snapshots_end_with_their_time_and_with_an_erasure(forward: Older) -> None:
    with open_services(settings=forward.settings, clock=forward.clock) as services:
        engine = services.store.engine
        assert len(pre_stores(engine)) == 1
        plan = services.plan_erase(Subject.of_record("notes", "k0"))
        assert plan.copies == 1
        services.apply_erase(plan)
        assert pre_stores(engine) == []
    with pytest.raises(NothingKept):
        back(forward, snapshot=True)
    back(forward)
    forward.clock.advance(25 * 3_600_000)
    report = bring_forward(forward.url, forward.settings, forward.clock)
    with ground_of(forward.url) as ground:
        assert [one.name for one in pre_stores(ground.engine)] == [report and report.snapshot]


@pytest.mark.parametrize("store_of", [OLDER[-1], schema.HEAD])
def test_a_newer_store_is_not_touched(older_newest: Older, store_of: str) -> None:
    if store_of == schema.HEAD:
        bring_forward(older_newest.url, older_newest.settings, older_newest.clock)
    with ground_of(older_newest.url) as ground:
        ground.engine.script(NEWER)
    before = held_by(older_newest.url)
    assert schema_state(older_newest.url).newer
    for refused in (
        lambda: Memory.open(older_newest.url, clock=older_newest.clock),
        lambda: plan_schema(older_newest.url, older_newest.settings, older_newest.clock),
        lambda: back(older_newest),
        lambda: back(older_newest, snapshot=True),
    ):
        with pytest.raises(StoreTooNew, match="0009"):
            refused()
    assert held_by(older_newest.url) == before


def test_a_program_that_has_it_open_writes_nothing_more(forward: Older) -> None:
    with forward.opened() as memory, forward.opened() as other:
        memory.put("notes", "last", 1)
        lease = memory.leases.acquire("work/b", holder="me")
        meta = memory.store.meta()
        with other.store.engine.write() as tx:  # what a migration to it does
            tx.run("save_meta", meta._replace(config=meta.config + 1).params())
        run_sql(other, NEWER)
        state = state_of(forward.url)
        for write in (
            lambda: memory.put("notes", "more", 1),
            lambda: memory.delete("notes", "last"),
            lambda: memory.messages.of("ada").send("bob", 1),
            lambda: memory.leases.renew(lease),
        ):
            with pytest.raises(StoreTooNew):
                write()
        assert memory.get("notes", "last") == 1
        assert state_of(forward.url) == state
        run_sql(other, f"UPDATE alembic_version SET version_num = '{schema.HEAD}'")
        memory.put("notes", "more", 1)
