"""The schema's revisions. Alembic and the ORM load only when a store is made or migrated."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from memtend.errors import MemtendError, StoreOutdated, StoreTooNew
from memtend.model.revision import Revision
from memtend.store.schema.remembered import noting, replay, statements_for

if TYPE_CHECKING:
    from memtend.store.engine import Engine

REVISIONS: Final = (
    Revision("0001", "the first schema"),
    Revision("0002", "what agents and replicas do together"),
    Revision("0003", "the history of migrations"),
    Revision("0004", "what was pruned and missed since, how the store has been doing, alerts"),
    Revision("0005", "a sample of accesses, learned models, trials of times to live"),
)
"""Every revision in order, and what it is about; a test compares them with Alembic's own."""

HEAD: Final = "0005"
"""The newest revision."""

_VERSION = "SELECT version_num FROM alembic_version"
_MAKING = "SELECT pg_advisory_xact_lock(hashtext('memtend schema'))"


class Revising(NamedTuple):
    """A transaction that changes the schema: the driver's connection, and the way to a revision."""

    connection: Any
    to: Callable[[str], None]


def revision(engine: Engine) -> str | None:
    """The revision of a store, or None where there is no schema yet."""
    try:
        rows = engine.script(_VERSION)
    except MemtendError:
        if not has_tables(engine):
            return None
        rows = engine.script(_VERSION)  # somebody has made the schema just now, at one stroke
    return str(rows[0][0]) if rows else None


def check(engine: Engine) -> None:
    """Refuse a store of another schema: newer is not ours to touch, older must be migrated."""
    found = revision(engine)
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        raise StoreTooNew(url=engine.url, found=found, known=HEAD)
    pending = "; ".join(f"{step.number}, {step.text}" for step in steps(found, HEAD))
    raise StoreOutdated(url=engine.url, found=found, known=HEAD, pending=pending or "unknown")


def steps(found: str | None, wanted: str) -> tuple[Revision, ...]:
    """The revisions that are gone through from one to another, in that order; those taken back on
    the way down. None where one of them is not known."""
    known = {one.number for one in REVISIONS}
    if found not in known or wanted not in known:
        return ()
    low, high = sorted((found, wanted))
    between = tuple(one for one in REVISIONS if low < one.number <= high)
    return between if found < wanted else between[::-1]


def upgrade(engine: Engine, connect: Callable[[], Any], wanted: str = HEAD) -> None:
    """Bring the schema to a revision. `connect` opens a plain driver connection."""
    with revising(engine, connect) as tx:
        if engine.kind != "sqlite":
            # Two processes may make the same store at once; the second finds it made.
            tx.connection.execute(_MAKING)
        tx.to(wanted)


@contextmanager
def revising(engine: Engine, connect: Callable[[], Any]) -> Iterator[Revising]:
    """One transaction, on a connection that is closed afterwards: all of it happens, or nothing."""
    from sqlalchemy import create_engine  # noqa: PLC0415 — half a second that a normal open saves
    from sqlalchemy.pool import StaticPool  # noqa: PLC0415

    dialect = "sqlite" if engine.kind == "sqlite" else "postgresql+psycopg"
    maker = create_engine(f"{dialect}://", creator=connect, poolclass=StaticPool)
    try:
        with _explained(engine), maker.begin() as connection:
            if engine.kind == "sqlite":
                # The driver would commit each statement: a process killed here left half a schema.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            driver = connection.connection.driver_connection
            yield Revising(driver, lambda wanted: _go(connection, wanted))
    finally:
        if engine.kind != "sqlite" or engine.path is not None:
            maker.dispose()


# Alembic keeps what it works on in globals.
_alone = threading.Lock()


def _renew_lock() -> None:
    global _alone  # noqa: PLW0603 — the parent's lock may be held by a thread that is not here
    _alone = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def _go(connection: Any, wanted: str) -> None:
    from alembic import command  # noqa: PLC0415 — half a second that a normal open saves
    from alembic.config import Config  # noqa: PLC0415
    from alembic.migration import MigrationContext  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "memtend:store/schema")
    config.attributes["connection"] = connection
    with _alone:
        found = MigrationContext.configure(connection).get_current_revision() or ""
        if not found and (statements := statements_for(connection, wanted)):
            replay(connection, statements)
        elif not found:
            with noting(connection, wanted):
                command.upgrade(config, wanted)
        elif found < wanted:
            command.upgrade(config, wanted)
        elif found > wanted:
            command.downgrade(config, wanted)


@cache
def shape(wanted: str) -> Mapping[str, tuple[str, ...]]:
    """The tables of a revision and their columns, the same on every engine."""
    from memtend.store.sqlite import SqliteEngine  # noqa: PLC0415 — no part of a schema

    with closing(SqliteEngine(None)) as empty:
        upgrade(empty, lambda: empty._memory, wanted)
        names = empty.script("SELECT name FROM sqlite_master WHERE type = 'table'")
        return MappingProxyType(
            {
                name: tuple(row[1] for row in empty.script(f"PRAGMA table_info({name})"))
                for (name,) in names
            }
        )


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    """What the driver refused, as one of our errors."""
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    try:
        yield
    except DBAPIError as error:
        raise engine._explain(error.orig) from error


def has_tables(engine: Engine) -> bool:
    catalog = "sqlite_master WHERE type = 'table'"
    if engine.kind != "sqlite":
        catalog = "information_schema.tables WHERE table_schema = current_schema()"
    return bool(engine.script(f"SELECT 1 FROM {catalog} LIMIT 1"))  # noqa: S608 — constant text
