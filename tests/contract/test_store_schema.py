"""The schema: the migrated one is the declared one, and every statement runs on it."""

from __future__ import annotations

import os
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from memtend.clock import Clock, ManualClock
from memtend.errors import StoreDamaged, StoreMissing, StoreOutdated, StoreTooNew
from memtend.memory import Memory
from memtend.store import opening, schema
from memtend.store.engine import Transaction
from memtend.store.meta import Meta
from memtend.store.sql import STATEMENTS, postgres_statements, sqlite_statements
from memtend.store.tables import metadata
from tests.fixtures.stores import run_sql


def test_the_migrated_schema_is_that_of_the_models(lasting_url: str, clock: ManualClock) -> None:
    Memory.open(lasting_url, clock=clock).close()
    url = lasting_url.replace("postgresql://", "postgresql+psycopg://")
    maker = create_engine(url, poolclass=StaticPool)
    with maker.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    maker.dispose()


def test_head_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", "memtend:store/schema")
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_statement_prepares_on_sqlite(sqlite: Memory, name: str) -> None:
    text = sqlite_statements()[name]
    run_sql(sqlite, f"EXPLAIN {text.replace('?', 'NULL')}")


def test_every_statement_prepares_on_postgres(postgres_url: str, clock: ManualClock) -> None:
    with Memory.open(postgres_url, clock=clock) as memory:
        for number, text in enumerate(postgres_statements().values()):
            run_sql(memory, f"PREPARE statement_{number} AS {numbered(text)}")


def numbered(text: str) -> str:
    """psycopg's placeholders as the server's."""
    first, *rest = text.split("%s")
    return first + "".join(f"${n}{part}" for n, part in enumerate(rest, start=1))


@pytest.fixture(scope="module")
def sqlite() -> Memory:
    return Memory.open("sqlite://", clock=ManualClock())


def test_an_older_program_refuses_a_newer_store(lasting_url: str, clock: ManualClock) -> None:
    with Memory.open(lasting_url, clock=clock) as memory:
        memory.put("a", "k", 1)
        run_sql(memory, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreTooNew, match="9999"):
        Memory.open(lasting_url, clock=clock)


@pytest.mark.parametrize("version", ["'0000'", None])
def test_a_newer_program_refuses_an_older_store(
    lasting_url: str, clock: ManualClock, version: str | None
) -> None:
    with Memory.open(lasting_url, clock=clock) as memory:
        statement = f"UPDATE alembic_version SET version_num = {version}"
        run_sql(memory, statement if version else "DELETE FROM alembic_version")
    with pytest.raises(StoreOutdated):
        Memory.open(lasting_url, clock=clock)


def test_a_store_is_made_only_when_asked_for(lasting_url: str, clock: ManualClock) -> None:
    with pytest.raises(StoreMissing):
        Memory.open(lasting_url, clock=clock, create=False)
    Memory.open(lasting_url, clock=clock).close()
    with Memory.open(lasting_url, clock=clock, create=False) as memory:
        assert memory.stats().records == 0


def test_a_store_without_its_meta_row_is_damaged(damageable: Memory) -> None:
    run_sql(damageable, "DELETE FROM meta")
    with pytest.raises(StoreDamaged, match="0 rows"):
        damageable.put("a", "k", 1)


def test_processes_that_make_a_store_at_once_make_one(lasting_url: str) -> None:
    def make(number: int) -> None:
        with Memory.open(lasting_url, clock=ManualClock(seed=number)) as memory:
            memory.put("a", f"k{number}", number)

    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            try:
                make(number)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    with Memory.open(lasting_url, clock=ManualClock(seed=9)) as memory:
        assert memory.get_many("a", [f"k{n}" for n in range(4)]) == {f"k{n}": n for n in range(4)}
        assert memory.stats().records == 4


def test_who_makes_a_store_second_finds_it(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that have seen no store found one between them, however long the first one takes."""
    found = opening._found

    def slowly(tx: Transaction, clock: Clock, file_id: str) -> Meta:
        time.sleep(0.3)
        return found(tx, clock, file_id)

    def make(number: int) -> str:
        with closing(opening.postgres_engine(postgres_url)) as engine:
            return opening.identify(engine, ManualClock(seed=number)).store_id

    with closing(opening.postgres_engine(postgres_url)) as engine:
        schema.upgrade(engine, engine.connect)
    monkeypatch.setattr(opening, "_found", slowly)
    with ThreadPoolExecutor(2) as threads:
        assert len(set(threads.map(make, range(2)))) == 1
