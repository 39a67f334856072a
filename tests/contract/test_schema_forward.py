"""A store of an older schema, brought forward: the same rows, the schema of a new store, usable."""

from __future__ import annotations

import orjson
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from memtend import Memory
from memtend.errors import StoreOutdated
from memtend.services import open_services
from memtend.serving.upgrading import apply_schema, bring_forward, plan_schema, schema_state
from memtend.store import migrations, schema
from memtend.store.sql import postgres_statements, sqlite_statements
from memtend.store.tables import metadata
from memtend.store.verify import verify_store
from tests.fixtures.older import Make, Older, dump_of, held_by, state_of
from tests.fixtures.stores import run_sql


def brought(older: Older, **more: object) -> Older:
    plan = plan_schema(older.url, older.settings, older.clock)
    apply_schema(plan, older.settings, older.clock, **more)  # type: ignore[arg-type]
    return older


def test_what_is_pending_is_said_and_nothing_is_written(older: Older) -> None:
    before = held_by(older.url)
    state = schema_state(older.url)
    assert (state.found, state.known, state.newer) == (older.revision, schema.HEAD, False)
    assert [step.number for step in state.pending][-1] == schema.HEAD
    plan = plan_schema(older.url, older.settings, older.clock)
    assert (plan.found, plan.wanted, plan.losses) == (older.revision, schema.HEAD, ())
    assert plan.digest == plan_schema(older.url, older.settings, older.clock).digest
    with pytest.raises(StoreOutdated, match=rf"{schema.HEAD}, a sample of accesses"):
        Memory.open(older.url, clock=older.clock)
    assert held_by(older.url) == before


def test_all_rows_are_the_same_and_the_schema_is_that_of_a_new_store(older: Older) -> None:
    before = state_of(older.url)
    plan = plan_schema(older.url, older.settings, older.clock)
    report = apply_schema(plan, older.settings, older.clock)
    assert (report.rows, report.state_sum) == before == state_of(older.url)
    assert (report.applied, report.rehearsed, report.verified) == (True, True, True)
    with older.opened() as memory:
        assert verify_store(memory.store).ok
        _check_values(memory)
        _check_statements(memory)
        *_, run = migrations.opened(memory.store.engine.read("migrations"), older.url)
        [entry] = run_sql(memory, "SELECT detail FROM audit WHERE action = 'migrate'")
    _check_tables(older.url)
    assert (run.run, run.what, run.state, run.plan) == (report.run, "schema", "done", plan.digest)
    assert (run.found, run.wanted) == (older.revision, schema.HEAD)
    assert str(report.snapshot).endswith(run.manifest)
    assert orjson.loads(entry[0])["run"] == report.run


def _check_values(memory: Memory) -> None:
    notes = dict(memory.scan("notes"))
    assert notes["k4"] == "ä中"
    assert notes["k6"] == {"a": {"b": []}}
    assert notes["finding"]["task"] == "task-900"  # by its dictionary
    assert len(memory.siblings("notes", "both")) == 2
    assert memory.get("counts", "c") == 3
    assert memory.members("sets", "s") == ["a", 3]
    assert memory.fields("maps", "m") == {"f": {"x": 1}, "g": 2}
    assert memory.get("short", "expired") is None
    assert memory.config.allows("ada", "read", "notes/x")
    assert len(memory.tagged("red")) == 9


def _check_tables(url: str) -> None:
    maker = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with maker.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    maker.dispose()


def _check_statements(memory: Memory) -> None:
    if memory.store.engine.kind == "sqlite":
        for text in sqlite_statements().values():
            run_sql(memory, f"EXPLAIN {text.replace('?', 'NULL')}")
        return
    for number, text in enumerate(postgres_statements().values()):
        first, *rest = text.split("%s")
        numbered = first + "".join(f"${n}{part}" for n, part in enumerate(rest, start=1))
        run_sql(memory, f"PREPARE statement_{number} AS {numbered}")


def test_up_down_and_up_give_the_same(older: Older) -> None:
    brought(older, rehearsal=False)
    there, state = dump_of(older.url), state_of(older.url)
    for wanted in (older.revision, schema.HEAD):
        plan = plan_schema(older.url, older.settings, older.clock, wanted)
        report = apply_schema(plan, older.settings, older.clock, lose=True, rehearsal=False)
        assert (report.rows, report.state_sum) == state == state_of(older.url)
        assert (dump_of(older.url) == there) == (wanted == schema.HEAD)


def test_a_second_time_nothing_is_done(older_store: Make) -> None:
    older = older_store("file", "0002")
    plan = plan_schema(older.url, older.settings, older.clock)
    apply_schema(plan, older.settings, older.clock)
    before = held_by(older.url)
    again = apply_schema(plan, older.settings, older.clock)
    assert (again.applied, again.snapshot) == (False, None)
    assert bring_forward(older.url, older.settings, older.clock) is None
    assert held_by(older.url) == before


@pytest.mark.parametrize(("engine", "revision"), [("file", "0001"), ("postgres", "0002")])
def test_the_store_is_used_afterwards(older_store: Make, engine: str, revision: str) -> None:
    """Records, leases, messages, backups, restores, a new peer."""
    older = older_store(engine, revision)
    brought(older, rehearsal=False)
    with open_services(older.url, settings=older.settings, clock=older.clock) as services:
        memory = services.memory
        memory.put("notes", "new", 1)
        with memory.lease("work/new"):
            memory.messages.of("ada").send("bob", "hello")
        first = services.take_backup()
        assert first.kind == "full"
        memory.put("notes", "new", 2)
        memory.increment("counts", "c")
        assert services.take_backup().kind == "incremental"
        plan = services.plan_restore(manifest=first.manifest)
        services.apply_restore(plan)
        assert memory.get("notes", "new") == 1
        peer = f"{older.settings.plans_url}.peer.db"
        Memory.open(peer, clock=older.clock).close()
        services.sync(peer)
        with Memory.open(peer, clock=older.clock) as other:
            assert dict(other.scan("notes")) == dict(memory.scan("notes"))
            assert other.get("counts", "c") == 3
        assert services.verify_store().ok


@pytest.mark.parametrize("engine", ["file", "postgres"])
def test_it_is_brought_forward_at_the_opening_only_where_that_is_set(
    older_store: Make, engine: str
) -> None:
    older = older_store(engine, "0002")
    before = held_by(older.url)
    for said in ("check", "off"):
        settings = older.settings.model_copy(update={"migrate": said})
        with pytest.raises(StoreOutdated), open_services(settings=settings, clock=older.clock):
            pass
    assert held_by(older.url) == before
    settings = older.settings.model_copy(update={"migrate": "auto"})
    with open_services(settings=settings, clock=older.clock) as services:
        assert services.memory.get("notes", "k0", "nothing") is None
        assert services.verify_store().ok


def test_revisions_are_known_by_what_they_are_about() -> None:
    config = Config()
    config.set_main_option("script_location", "memtend:store/schema")
    scripts = ScriptDirectory.from_config(config)
    steps = [(one.revision, one.doc) for one in scripts.walk_revisions()]
    told = [(one.number, f"{one.text[0].upper()}{one.text[1:]}.") for one in schema.REVISIONS]
    assert steps[::-1] == told
    assert schema.HEAD == schema.REVISIONS[-1].number == scripts.get_current_head()
