"""The swap on PostgreSQL: tables change their schemas, all of them in one transaction.

`meta` is locked first and as a table: a writer that waits for its row would otherwise wait for us
while we wait for the lock that it has on the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import sql

from memtend.limits import BUSY_WAIT_MS
from memtend.store.adapting import Live, adapt
from memtend.store.beside import SchemaBeside
from memtend.store.postgres import PostgresEngine
from memtend.store.postgres_tx import PostgresReader
from memtend.store.store import check_lease

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.adapting import Deed
    from memtend.store.beside import Beside
    from memtend.store.engine import Row
    from memtend.store.meta import Meta
    from memtend.store.store import Store

_FIRST: Final = "meta"


def swap_postgres(
    store: Store, beside: Beside, deed: Deed, lease: Lease | None, keep: str
) -> tuple[Live, Meta]:
    engine = store.engine
    assert isinstance(engine, PostgresEngine)
    assert isinstance(beside, SchemaBeside)
    file_id = engine.file_id()
    try:
        with engine.connect() as connection:
            lock_all(connection, engine)
            reader = PostgresReader(connection, engine.statements)
            live = Live.of(reader, engine.url)  # 1
            if lease is not None:
                granted = reader.fetch("lease_grant", (lease.resource, lease.fence.n))
                check_lease(store, lease, live.meta, reader.fetch("lease_now"), granted)
            meta = adapt(beside.engine, live, deed, store.clock, store.key, file_id)  # 2
            if live.untouched:
                _drop_all(connection, engine)
            exchange(connection, engine, beside.schema, None if live.untouched else keep)  # 3, 4
    except psycopg.Error as error:
        raise engine._explain(error) from error
    return live, meta


def lock_all(
    connection: psycopg.Connection[Row], engine: PostgresEngine, mode: str = "ACCESS EXCLUSIVE"
) -> None:
    connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(BUSY_WAIT_MS))
    tables = engine.tables(engine.schema_name())
    ordered = sorted(tables, key=lambda table: (table != _FIRST, table))
    names = sql.SQL(", ").join(map(sql.Identifier, ordered))
    connection.execute(sql.SQL("LOCK TABLE {} IN {} MODE").format(names, sql.SQL(mode)))


def _drop_all(connection: psycopg.Connection[Row], engine: PostgresEngine) -> None:
    here = engine.schema_name()
    for table in engine.tables(here):
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(here, table)))


def exchange(
    connection: psycopg.Connection[Row], engine: PostgresEngine, built: str, keep: str | None
) -> None:
    """Within the caller's transaction: live tables into `keep`, those of `built` in their place."""
    here = engine.schema_name()
    moves = [(built, here, engine.tables(built))]
    if keep is not None:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(keep)))
        moves.insert(0, (here, keep, engine.tables(here)))
    for source, target, tables in moves:
        for table in tables:
            statement = sql.SQL("ALTER TABLE {} SET SCHEMA {}")
            connection.execute(
                statement.format(sql.Identifier(source, table), sql.Identifier(target))
            )
