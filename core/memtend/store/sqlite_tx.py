"""Transactions on one SQLite connection: the reader's view, and the writer's `with` block."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from memtend.errors import StoreClosed
from memtend.store.engine import Call, Row

if TYPE_CHECKING:
    from memtend.store.sqlite import SqliteEngine


class SqliteReader:
    """Named statements on one connection."""

    def __init__(self, connection: sqlite3.Connection, statements: dict[str, str]) -> None:
        self.connection = connection
        self._sql = statements

    def fetch(self, name: str, params: Sequence[Any] = ()) -> list[Row]:
        return self.connection.execute(self._sql[name], params).fetchall()

    def fetch_all(self, calls: Sequence[Call]) -> list[list[Row]]:
        execute, sql = self.connection.execute, self._sql
        return [execute(sql[name], params).fetchall() for name, params in calls]

    def stream(self, name: str, params: Sequence[Any] = ()) -> Iterator[Row]:
        return iter(self.connection.execute(self._sql[name], params))

    def share(self) -> None:
        """A view belongs to its connection."""

    def run(self, name: str, params: Sequence[Any] = ()) -> None:
        self.connection.execute(self._sql[name], params)

    def run_many(self, name: str, rows: Iterable[Sequence[Any]]) -> None:
        self.connection.executemany(self._sql[name], rows)

    def tell(self, channel: str) -> None:
        """Nobody can be told: `notify.ring` wakes the threads of this process."""


class SqliteWrite:
    """One write transaction as a `with` block; a class, because it runs on every put."""

    __slots__ = ("_connection", "_engine", "_generation")

    def __init__(self, engine: SqliteEngine) -> None:
        self._engine = engine

    def __enter__(self) -> SqliteReader:
        engine = self._engine
        self._generation = engine._generation
        engine._lock.__enter__()
        try:
            if not engine._open:
                raise StoreClosed(url=engine.url)
            writer = engine._writer or engine._new_writer()
            self._connection = writer.connection
            engine._read_lock.acquire()
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except BaseException:
                engine._read_lock.release()
                raise
        except BaseException as error:
            engine._lock.__exit__(None, None, None)
            if isinstance(error, sqlite3.Error):
                raise engine._explain(error) from error
            raise
        return writer

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        engine = self._engine
        if self._generation is not engine._generation:
            # A forked child: the transaction, its locks and its fate belong to the parent.
            raise StoreClosed(url=f"{engine.url} (transaction begun before a fork)")
        try:
            if error is None:
                try:
                    self._connection.execute("COMMIT")
                except sqlite3.Error:
                    self._roll_back()
                    raise
            else:
                self._roll_back()
            ticket = engine._group.commit()
        except sqlite3.Error as failure:
            raise engine._explain(failure) from failure
        finally:
            engine._read_lock.release()
            engine._lock.__exit__(None, None, None)
        if isinstance(error, sqlite3.Error):
            raise engine._explain(error) from error
        if error is None and engine._durable:
            engine._group.wait(ticket)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


class Locked:
    """`execute` on the one connection of a store in memory, read to the end under its lock."""

    def __init__(self, connection: sqlite3.Connection, lock: threading.RLock) -> None:
        self._connection = connection
        self._lock = lock

    def __call__(self, sql: str, params: Sequence[Any] = ()) -> Fetched:
        with self._lock:
            return Fetched(self._connection.execute(sql, params).fetchall())


class Fetched:
    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows

    def fetchall(self) -> list[Row]:
        return self._rows
