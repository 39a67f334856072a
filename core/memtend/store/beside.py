"""A database beside the live one: where a restore is built before anybody sees it.

Beside a SQLite file it is another file, `<store>.restore-<id>`; beside tables on a server, a schema
`<schema>_restore_<id>`; beside a store in memory, memory. What a killed restore leaves is removed
by the next one: nobody else may have built meanwhile, which the caller's lease ensures.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from memtend.errors import MemtendError
from memtend.store import schema
from memtend.store.durable import translated
from memtend.store.opening import engine_for
from memtend.store.sqlite import PAGE_BYTES, SqliteEngine
from memtend.store.sqlite_tx import SqliteReader

if TYPE_CHECKING:
    from memtend.store.engine import Engine, Transaction
    from memtend.store.postgres import PostgresEngine

MARK: Final = "restore"
_COMPANIONS: Final = ("", "-wal", "-shm", "-journal", ".lock")


class Beside(Protocol):
    @property
    def engine(self) -> Engine: ...

    def loading(self) -> AbstractContextManager[Transaction]:
        """A transaction in which to fill the empty database, as fast as it goes."""

    def discard(self) -> None:
        """Close it and leave nothing of it."""


class FileBeside:
    """Filled without journal or fsync: a kill leaves rubbish under a name that says so."""

    def __init__(self, live: str, new_id: str, copy_of: Path | None = None) -> None:
        self.path = f"{live}.{MARK}-{new_id}"
        if copy_of is not None:
            copy_file(copy_of, self.path)
            with closing(SqliteEngine(self.path)) as copy:
                _bring_forward(copy, copy._connect)
        self.engine: SqliteEngine = self._open()

    @contextmanager
    def loading(self) -> Iterator[Transaction]:
        self.engine.close()
        try:
            with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
                for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-12288"):
                    connection.execute(f"PRAGMA {pragma}")
                connection.execute("BEGIN")
                yield SqliteReader(connection, self.engine.statements)
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self.engine._explain(error) from error
        self.engine = self._open()

    def discard(self) -> None:
        self.engine.close()
        remove_file(self.path)

    def _open(self) -> SqliteEngine:
        engine = engine_for(self.path, create=True, durable=False)
        assert isinstance(engine, SqliteEngine)
        return engine


class MemoryBeside:
    """For a store in memory, or for a scratch copy that need not outlive the process."""

    def __init__(self, copy_of: bytes | None = None) -> None:
        engine = engine_for("sqlite://", create=True, durable=False)
        assert isinstance(engine, SqliteEngine)
        self.engine: SqliteEngine = engine
        if copy_of is not None and engine._memory is not None:
            engine._memory.deserialize(copy_of)

    @contextmanager
    def loading(self) -> Iterator[Transaction]:
        with self.engine.write() as tx:
            yield tx

    def discard(self) -> None:
        self.engine.close()


class SchemaBeside:
    """Tables in a schema of their own, in the same database as the live ones."""

    def __init__(self, live: PostgresEngine, new_id: str, kept: str | None = None) -> None:
        from memtend.store.postgres import PostgresEngine  # noqa: PLC0415 — an optional extra

        self._live = live
        self._kept = kept is not None
        self.schema = kept or f"{live.schema_name()}_{MARK}_{new_id[:16]}"
        self.engine: PostgresEngine = PostgresEngine(live._dsn, durable=False, schema=self.schema)
        if kept is None:
            live.create_schema(self.schema)
            schema.upgrade(self.engine, self.engine.connect)
        else:
            _bring_forward(self.engine, self.engine.connect)

    @contextmanager
    def loading(self) -> Iterator[Transaction]:
        with self.engine.write() as tx:
            yield tx

    def discard(self) -> None:
        """An old store that is kept stays, unless its tables have moved."""
        self.engine.close()
        self._live.drop_schema(self.schema, only_empty=self._kept)


def beside(engine: Engine, new_id: str) -> Beside:
    """An empty database beside the live one."""
    if isinstance(engine, SqliteEngine):
        if engine.path is None:
            return MemoryBeside()
        clear_leftovers(engine.path)
        return FileBeside(engine.path, new_id)
    live = _server(engine)
    for left in live.schemas(f"{live.schema_name()}_{MARK}_"):
        live.drop_schema(left)
    return SchemaBeside(live, new_id)


def _bring_forward(engine: Engine, connect: Callable[[], Any]) -> None:
    """What was kept before the schema was migrated comes back with the schema of now."""
    found = schema.revision(engine)
    if found is not None and found < schema.HEAD:
        schema.upgrade(engine, connect)


def clear_leftovers(path: str) -> None:
    """Remove what killed restores built beside this file."""
    folder, name = os.path.split(os.path.realpath(path))
    with translated(path):
        for found in sorted(os.listdir(folder)):
            if found.startswith((f"{name}.{MARK}-", f"{name}.keeping-")):
                os.unlink(os.path.join(folder, found))


def remove_file(path: str) -> None:
    """A SQLite database that nobody has open, with everything that belongs to it."""
    for companion in _COMPANIONS:
        with translated(path), suppress(FileNotFoundError):
            os.unlink(path + companion)


def _server(engine: Engine) -> PostgresEngine:
    from memtend.store.postgres import PostgresEngine  # noqa: PLC0415

    assert isinstance(engine, PostgresEngine)
    return engine


def copy_file(source: Path, target: str) -> None:
    """By SQLite itself, since the source may have been opened by somebody since."""
    try:
        with (
            closing(sqlite3.connect(source)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            new.execute(f"PRAGMA page_size={PAGE_BYTES}")
            old.backup(new)
    except sqlite3.Error as error:
        with suppress(MemtendError):
            remove_file(target)
        raise SqliteEngine(target)._explain(error) from error
