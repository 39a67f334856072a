"""Migrating the schema of tables on a server: in place, in one transaction with its snapshot.

Writers are locked out from the start, readers only where a table changes. Copies are made from the
revisions and not `LIKE` the tables, whose indexes would get other names by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from psycopg import sql

from memtend.limits import SCHEMA_WAIT_MS
from memtend.store import schema
from memtend.store.engine import Transaction
from memtend.store.meta import Meta
from memtend.store.postgres import PostgresEngine
from memtend.store.postgres_swap import exchange, lock_all
from memtend.store.postgres_tx import PostgresReader
from memtend.store.snapshots import drop_rehearsals, rehearsal_name
from memtend.store.upgrade_ground import Ground, Hand, columns_of

_VERSION = "alembic_version"


class ServerGround:
    def __init__(self, engine: PostgresEngine, dsn: str) -> None:
        self.engine = engine
        self._dsn = dsn
        self._here = engine.schema_name()

    @contextmanager
    def alone(self) -> Iterator[None]:
        name = f"memtend migration of {self._here}"
        with self._explained(), closing(self.engine.connect()) as connection:
            connection.autocommit = True
            connection.execute(sql.SQL("SET lock_timeout = {}").format(SCHEMA_WAIT_MS))
            connection.execute("SELECT pg_advisory_lock(hashtext(%s))", (name,))
            yield

    @contextmanager
    def copied(self, new_id: str, found: str) -> Iterator[Ground]:
        drop_rehearsals(self.engine)
        scratch = rehearsal_name(self.engine, new_id)
        self.engine.create_schema(scratch)
        engine = PostgresEngine(self._dsn, durable=False, schema=scratch)
        try:
            schema.upgrade(engine, engine.connect, found)
            with self._explained(), self.engine.connect() as connection:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                self._fill(connection, scratch)
            yield ServerGround(engine, self._dsn)
        finally:
            engine.close()
            self.engine.drop_schema(scratch)

    @contextmanager
    def revising(self) -> Iterator[Hand]:
        with self._explained(), schema.revising(self.engine, self.engine.connect) as revising:
            connection = revising.connection
            lock_all(connection, self.engine, "EXCLUSIVE")
            yield Hand(PostgresReader(connection, self.engine.statements), connection, revising.to)

    def keep(self, hand: Hand, name: str, found: str) -> None:
        connection = hand.connection
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        with _looking_at(connection, name):
            hand.to(found)
        self._fill(connection, name)

    def forget(self, name: str) -> None:
        """It went with the transaction."""

    def swap_back(
        self, name: str, keep: str, found: str, adapt: Callable[[Transaction, Meta], None]
    ) -> None:
        with self._explained(), self.engine.connect() as connection:
            lock_all(connection, self.engine)
            reader = PostgresReader(connection, self.engine.statements)
            live = Meta.of(reader.fetch("meta"), self.engine.url)
            with _looking_at(connection, name):
                adapt(reader, live)
            exchange(connection, self.engine, name, keep)
        self.engine.drop_schema(name, only_empty=True)

    def kept(self, name: str) -> tuple[str, Meta]:
        with closing(PostgresEngine(self._dsn, schema=name)) as kept:
            return str(schema.revision(kept)), Meta.of(kept.read("meta"), name)

    def size_bytes(self) -> int:
        return self.engine.size_bytes()

    def free_bytes(self) -> int | None:
        return None

    def _fill(self, connection: psycopg.Connection[Any], target: str) -> None:
        """All rows of the tables that a revision knows, into its own tables."""
        for table in self.engine.tables(self._here):
            columns = columns_of(
                connection.execute(
                    "SELECT column_name::text FROM information_schema.columns "
                    "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
                    (target, table),
                ).fetchall()
            )
            if not columns or table == _VERSION:
                continue
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            connection.execute(
                sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(
                    sql.Identifier(target, table), names, names, sql.Identifier(self._here, table)
                )
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise self.engine._explain(error) from error


@contextmanager
def _looking_at(connection: psycopg.Connection[Any], name: str) -> Iterator[None]:
    """Within it names without a schema are those of this one."""
    rows = connection.execute("SELECT current_setting('search_path')").fetchall()
    _look_at(connection, sql.Identifier(name).as_string(connection))
    yield
    _look_at(connection, rows[0][0])


def _look_at(connection: psycopg.Connection[Any], path: str) -> None:
    connection.execute("SELECT set_config('search_path', %s, true)", (path,))
