"""Transactions on one PostgreSQL connection: the reader's view, and the writer's `with` block.

A write is one pipeline with two waits: BEGIN and what the write must know, then everything it does
together with COMMIT.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import Connection, sql
from psycopg.pq import TransactionStatus

from memtend.store.engine import Call, Row

if TYPE_CHECKING:
    from memtend.store.postgres import PostgresEngine

_STREAM_ROWS = 1_000


class PostgresReader:
    """Named statements on one connection, in a transaction of the caller."""

    def __init__(self, connection: Connection[Row], statements: dict[str, str]) -> None:
        self._connection = connection
        self._sql = statements
        # Statements that return nothing share a cursor; a pipeline keeps their order.
        self._runs = connection.cursor()

    def fetch(self, name: str, params: Sequence[Any] = ()) -> list[Row]:
        return self._execute(name, params).fetchall()

    def fetch_all(self, calls: Sequence[Call]) -> list[list[Row]]:
        # In a pipeline nothing waits until the first fetch.
        cursors = [self._execute(name, params) for name, params in calls]
        return [cursor.fetchall() for cursor in cursors]

    def stream(self, name: str, params: Sequence[Any] = ()) -> Iterator[Row]:
        with self._connection.cursor(f"memtend_{name}", binary=True) as cursor:
            cursor.itersize = _STREAM_ROWS
            yield from cursor.execute(self._query(name), params)

    def share(self) -> str:
        # Whoever waits for others in a transaction is not idle, whatever the server thinks.
        self._connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        [(name,)] = self._connection.execute("SELECT pg_export_snapshot()").fetchall()
        return str(name)

    def run(self, name: str, params: Sequence[Any] = ()) -> None:
        self._runs.execute(self._query(name), params)

    def run_many(self, name: str, rows: Iterable[Sequence[Any]]) -> None:
        self._runs.executemany(self._query(name), rows)

    def tell(self, channel: str) -> None:
        self._runs.execute("SELECT pg_notify(%s, '')", (channel,))

    def _execute(self, name: str, params: Sequence[Any]) -> psycopg.Cursor[Row]:
        return self._connection.execute(self._query(name), params, binary=True)

    def _query(self, name: str) -> sql.SQL:
        return sql.SQL(self._sql[name])


class PostgresWrite:
    """One write transaction as a `with` block."""

    __slots__ = ("_connection", "_engine", "_generation", "_pipeline")

    def __init__(self, engine: PostgresEngine) -> None:
        self._engine = engine

    def __enter__(self) -> PostgresReader:
        engine = self._engine
        self._generation = engine._generation
        try:
            self._connection = engine._connection()
            self._pipeline = self._connection.pipeline()
            self._pipeline.__enter__()
        except psycopg.Error as error:
            raise engine._explain(error) from error
        try:
            self._connection.execute("BEGIN")
        except psycopg.Error as error:
            self._pipeline.__exit__(type(error), error, error.__traceback__)
            raise engine._explain(error) from error
        return PostgresReader(self._connection, engine.statements)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        engine = self._engine
        # In a forked child the transaction and its fate belong to the parent.
        engine._refuse_in_child(self._generation)
        try:
            if error is None:
                self._connection.execute("COMMIT")
            self._pipeline.__exit__(kind, error, trace)
        except psycopg.Error as failure:
            self._roll_back()
            raise engine._explain(failure) from failure
        self._roll_back()
        if isinstance(error, psycopg.Error):
            raise engine._explain(error) from error

    def _roll_back(self) -> None:
        """After an error; nothing to do once committed or disconnected."""
        status = self._connection.info.transaction_status
        if status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            try:
                self._connection.execute("ROLLBACK")
            except psycopg.Error:  # the server is gone, and so is the transaction
                self._connection.close()
