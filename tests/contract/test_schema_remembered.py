"""A schema that is made again from memory is the one that Alembic makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memtend.memory import Memory
from memtend.store import schema
from memtend.store.schema import remembered
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.stores import run_sql

COMMAND = "alembic.command.upgrade"
FILE = ("SELECT type, name, sql FROM sqlite_master ORDER BY name",)
SERVER = (
    "SELECT table_name, column_name, ordinal_position, column_default, is_nullable, data_type, "
    "collation_name, is_identity FROM information_schema.columns "
    "WHERE table_schema = 'public' ORDER BY 1, 3",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
    "SELECT sequencename, start_value, increment_by, cycle FROM pg_sequences ORDER BY 1",
    "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
)
Shape = list[list[tuple[object, ...]]]


@pytest.fixture(params=("file", "postgres"))
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Shape]:
    """Makes a store and says what its schema is."""
    numbers = iter(range(9))

    @contextmanager
    def place() -> Iterator[str]:
        if request.param == "file":
            yield f"sqlite:///{tmp_path}/{next(numbers)}.db"
        else:
            server: PostgresServer = request.getfixturevalue("postgres_server")
            with server.database() as url:
                yield url

    def made() -> Shape:
        looks = FILE if request.param == "file" else SERVER
        with place() as url, Memory.open(url) as memory:
            memory.put("a", "k", 1)
            assert schema.revision(memory.store.engine) == schema.HEAD
            return [run_sql(memory, look) for look in looks]

    return made


def test_from_memory_as_by_alembic(
    make: Callable[[], Shape], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "_MADE", {})
    by_alembic = make()
    assert len(remembered._MADE) == 1
    assert sum(map(len, by_alembic)) > 30
    with monkeypatch.context() as patch:
        patch.delattr(COMMAND)
        assert make() == by_alembic


def test_what_goes_wrong_is_not_remembered(
    make: Callable[[], Shape], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "_MADE", {})
    with monkeypatch.context() as patch:
        patch.setattr(COMMAND, lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            make()
    assert remembered._MADE == {}
    assert make()
