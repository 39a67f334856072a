"""PostgreSQL: a connection per thread, statements sent in pipelines, one locked meta row.

The writer locks the one row of `meta`, so dots and change sequence are gap-free and commit in
order. A write is two round trips: what it must know, then everything it does with the commit.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection, errors, pq

from memtend.errors import (
    InvalidName,
    MemtendError,
    StoreBusy,
    StoreClosed,
    StoreDamaged,
    StoreFull,
    StoreUnavailable,
)
from memtend.limits import BUSY_WAIT_MS
from memtend.store.engine import NOT_TEXT, Row, keep_for_ever, survives_fork
from memtend.store.postgres_tx import PostgresReader, PostgresWrite
from memtend.store.sql import postgres_statements


class PostgresEngine:
    """`dsn` is a PostgreSQL URL; passwords come from it or from libpq's own environment.

    `schema` names where its tables are, if not where the server looks first.
    """

    kind = "postgresql"

    def __init__(self, dsn: str, *, durable: bool = True, schema: str | None = None) -> None:
        self._dsn = dsn
        self._search = "" if schema is None else f" -c search_path={schema}"
        self.path: str | None = None
        self._durable = durable
        self._open = True
        self._busy_ms = BUSY_WAIT_MS
        self._generation = object()
        self._local = threading.local()
        self._connections: list[Connection[Row]] = []
        self.statements = postgres_statements()
        info = psycopg.conninfo.conninfo_to_dict(dsn)
        host, port = info.get("host", "localhost"), info.get("port", 5432)
        self.url = f"postgresql://{host}:{port}/{info.get('dbname', '')}"
        survives_fork(self)

    def read(self, name: str, params: Sequence[Any] = ()) -> list[Row]:
        try:
            return self._connection().execute(self.statements[name], params, binary=True).fetchall()
        except psycopg.Error as error:
            raise self._explain(error) from error
        except UnicodeEncodeError as error:
            raise InvalidName(what="name", name=error.object, why=NOT_TEXT) from error

    def write(self) -> PostgresWrite:
        return PostgresWrite(self)

    @contextmanager
    def snapshot(self, shared: str | None = None) -> Iterator[PostgresReader]:
        try:
            with self.connect() as connection:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
                if shared is not None:  # before anything else is asked
                    find = psycopg.sql.SQL("SET TRANSACTION SNAPSHOT {}")
                    connection.execute(find.format(psycopg.sql.Literal(shared)))
                yield PostgresReader(connection, self.statements)
        except psycopg.Error as error:
            raise self._explain(error) from error

    def connect(self) -> Connection[Row]:
        """A connection of its own, outside of any transaction so far."""
        more = {"options": self._search.strip()} if self._search else {}
        return psycopg.connect(psycopg.conninfo.make_conninfo(self._dsn, **more))

    def listen(self, channel: str) -> Connection[Row]:
        """A connection of its own that hears what is told on a channel."""
        try:
            connection = self.connect()
            connection.autocommit = True
            connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
        except psycopg.Error as error:
            raise self._explain(error) from error
        return connection

    def schema_name(self) -> str:
        """Where its tables are."""
        [(name,)] = self.script("SELECT current_schema()::text")
        return str(name)

    def schemas(self, prefix: str) -> list[str]:
        """The schemas whose names begin so, in order."""
        rows = self.script("SELECT nspname::text FROM pg_namespace ORDER BY nspname")
        return [name for (name,) in rows if name.startswith(prefix)]

    def create_schema(self, name: str) -> None:
        self.script(_quoted("CREATE SCHEMA {}", name))

    def drop_schema(self, name: str, *, only_empty: bool = False) -> None:
        """With its tables. `only_empty`: a schema that still has tables stays."""
        if name in self.schemas(name) and not (only_empty and self.tables(name)):
            self.script(_quoted("DROP SCHEMA {} CASCADE", name))

    def tables(self, name: str) -> list[str]:
        rows = self.script(
            f"SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "  # noqa: S608
            f"WHERE c.relkind = 'r' AND n.nspname = {psycopg.sql.quote(name)} ORDER BY c.relname"
        )
        return [table for (table,) in rows]

    def array(self, values: Sequence[Any]) -> list[Any]:
        return list(values)

    def hurry(self, busy_ms: int) -> None:
        self._busy_ms = busy_ms
        try:
            self._connection().execute(f"SET lock_timeout = {busy_ms:d}")
        except psycopg.Error as error:
            raise self._explain(error) from error

    def file_id(self) -> str:
        [(oid,)] = self.script(
            "SELECT oid::bigint FROM pg_database WHERE datname = current_database()"
        )
        try:
            [(system, timeline)] = self.script(
                "SELECT system_identifier, timeline_id FROM pg_control_system(), "
                "pg_control_checkpoint()"
            )
        except StoreUnavailable:  # not every role may ask
            return f"database:{oid}"
        return f"{system}:{timeline}:{oid}"

    def script(self, sql: str) -> list[Row]:
        try:
            connection = self._connection()
            cursor = connection.execute(sql)
            # Within a write nothing has come back yet, and whether there are rows is not known.
            queued = connection.pgconn.pipeline_status != pq.PipelineStatus.OFF
            return cursor.fetchall() if queued or cursor.description else []
        except psycopg.Error as error:
            raise self._explain(error) from error

    def integrity(self) -> list[str]:
        # A full read of every page makes the server check its page checksums.
        try:
            self.script(
                "SELECT count(*), sum(octet_length(body) + octet_length(value)) FROM sibling"
            )
        except MemtendError as error:
            return [str(error)]
        return []

    def notes(self) -> tuple[str, ...]:
        return ()

    def size_bytes(self) -> int:
        [(size,)] = self.script("SELECT pg_total_relation_size('sibling')")
        return int(size)

    def server_ms(self) -> int | None:
        [(ms,)] = self.script("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        return int(ms)

    def leave(self) -> None:
        connection = getattr(self._local, "connection", None)
        self._local.__dict__.clear()
        if connection is not None:
            connection.close()
            self._connections.remove(connection)

    def close(self) -> None:
        self._open = False
        self._local = threading.local()
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    def foresee(self) -> None:
        """Nothing: a server does not care which process it was that connected."""

    def abandon(self) -> None:
        for connection in self._connections:
            unplug(connection)
        keep_for_ever((self._local, list(self._connections)))
        self._generation = object()
        self._local = threading.local()
        self._connections = []

    def _connection(self) -> Connection[Row]:
        connection: Connection[Row] | None = getattr(self._local, "connection", None)
        if connection is not None and not connection.closed:
            return connection
        if not self._open:
            raise StoreClosed(url=self.url)
        commit = "on" if self._durable else "off"
        connection = psycopg.connect(
            self._dsn,
            autocommit=True,
            connect_timeout=BUSY_WAIT_MS // 1_000,
            options=f"-c synchronous_commit={commit} -c lock_timeout={self._busy_ms}{self._search}",
        )
        connection.prepare_threshold = 1
        self._local.connection = connection
        self._connections.append(connection)
        return connection

    def _refuse_in_child(self, generation: object) -> None:
        if generation is not self._generation:
            raise StoreClosed(url=f"{self.url} (transaction begun before a fork)")

    def _explain(self, error: psycopg.Error) -> MemtendError:
        why = str(error.diag.message_primary or error).splitlines()[0]
        if isinstance(error, errors.LockNotAvailable | errors.DeadlockDetected):
            return StoreBusy(url=self.url, waited_s=self._busy_ms / 1_000, why=why)
        if isinstance(error, errors.DiskFull):
            return StoreFull(url=self.url)
        if isinstance(error, psycopg.DataError) and error.sqlstate is None:
            return InvalidName(what="name", name="a parameter", why=why)
        if isinstance(error, errors.DataCorrupted | errors.IndexCorrupted):
            return StoreDamaged(url=self.url, why=why)
        return StoreUnavailable(url=self.url, why=why)


def _quoted(statement: str, name: str) -> str:
    return statement.format('"' + name.replace('"', '""') + '"')


def unplug(connection: Connection[Row]) -> None:
    """Put a dead socket in the place of one that a forked child shares with its parent.

    Whatever the child still says on it, a rollback above all, would end the parent's transaction.
    """
    if not connection.closed:
        ours, theirs = socket.socketpair()
        theirs.close()
        os.dup2(ours.fileno(), connection.fileno())
        ours.close()
