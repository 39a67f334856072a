"""Putting a database that was built beside in the place of the live one, or back.

One transaction under the store's write lock, in this order:

1. read    what must not be taken back (`adapting.Live`), and that the lease still holds
2. adapt   the database beside: new line of history, tokens, audit entry
3. keep    a whole copy of the live one, safe on the disk
4. swap    one transaction of the engine: readers see the old state before it and the new one after

A crash before the end of 4 leaves the live store as it was, with rubbish beside it that the next
restore removes. Other processes keep their connections: SQLite gets the pages into the same file,
PostgreSQL gets the tables into the same schema, and `config` rises, which every open store notices
at its next write.

What was replaced stays for a while as `kept-<made>-<until>`, milliseconds both, and can be brought
back; whoever restores or maintains after that time removes it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.errors import NothingKept
from memtend.store.beside import Beside, FileBeside, MemoryBeside, SchemaBeside, remove_file
from memtend.store.snapshots import PreStore, drop_pre_stores
from memtend.store.sqlite import SqliteEngine

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.adapting import Deed, Live
    from memtend.store.engine import Engine
    from memtend.store.postgres import PostgresEngine
    from memtend.store.store import Store

MARK: Final = "kept"


class Kept(NamedTuple):
    """A replaced store. `name` is a path, a schema, or a name in memory."""

    made_ms: int
    until_ms: int
    name: str


class Swapped(NamedTuple):
    """`before` is the live store as it was replaced, `replica` who writes from now on."""

    before: Live
    replica: str
    seq: int
    lease_epoch: int


def swap(store: Store, beside: Beside, deed: Deed, *, lease: Lease | None, keep_ms: int) -> Swapped:
    """Replace the live store by what was built beside; raises `StaleLease`, `StoreBusy`."""
    now_ms = store.clock.now_ms()
    until_ms = now_ms + keep_ms
    # No two under one name: what is kept must never be written over.
    now_ms = max([now_ms, *(kept.made_ms + 1 for kept in kept_stores(store.engine))])
    if isinstance(store.engine, SqliteEngine):
        from memtend.store.sqlite_swap import swap_sqlite as swap_in  # noqa: PLC0415
    else:
        from memtend.store.postgres_swap import swap_postgres as swap_in  # noqa: PLC0415
    kept = Kept(now_ms, until_ms, _name(store.engine, now_ms, until_ms))
    before, meta = swap_in(store, beside, deed, lease, kept.name)
    store.forget_dictionaries()
    return Swapped(before, store.own_replica(), meta.seq, meta.lease_epoch)


def kept_stores(engine: Engine) -> list[Kept]:
    """What earlier restores replaced and is still there, newest first."""
    if not isinstance(engine, SqliteEngine):
        server = _server(engine)
        names = server.schemas(f"{server.schema_name()}_{MARK}_")
    elif engine.path is None:
        names = list(engine.kept)
    else:
        folder, name = os.path.split(engine.path)
        names = [
            os.path.join(folder, found)
            for found in sorted(os.listdir(folder))
            if found.startswith(f"{name}.{MARK}-")
        ]
    return sorted(filter(None, map(_parsed, names)), reverse=True)


def drop_kept(engine: Engine, now_ms: int | None) -> list[Kept | PreStore]:
    """Remove those whose time is over (None: all of them), and those from before migrations of the
    schema. Called under the maintenance lease."""
    over = [kept for kept in kept_stores(engine) if now_ms is None or kept.until_ms <= now_ms]
    for kept in over:
        remove_kept(engine, kept)
    return [*over, *drop_pre_stores(engine, now_ms)]


def newest_kept(store: Store) -> Kept:
    """The store that the last restore replaced; raises `NothingKept`."""
    kept = last_kept(store)
    if kept is None:
        raise NothingKept(url=store.url)
    return kept


def last_kept(store: Store) -> Kept | None:
    """What undo would bring back, if anything.

    A copy of the line of history that is still the live one was made by a restore that was cut off
    before its swap: it replaced nothing.
    """
    live = store.own_replica()
    for kept in kept_stores(store.engine):
        if not isinstance(store.engine, SqliteEngine) or store.engine.path is None:
            return kept
        if _replica_in(kept.name) != live:
            return kept
    return None


def _replica_in(path: str) -> str | None:
    """Who wrote in a SQLite store that nobody has open."""
    query = "SELECT r.id FROM meta m JOIN replica r ON r.no = m.replica_no"
    try:
        with closing(sqlite3.connect(f"{Path(path).as_uri()}?immutable=1", uri=True)) as kept:
            rows = kept.execute(query).fetchall()
    except sqlite3.Error as error:
        raise SqliteEngine(path)._explain(error) from error
    return rows[0][0] if rows else None


def bring_back(
    store: Store, kept: Kept, deed: Deed, *, lease: Lease | None, keep_ms: int
) -> Swapped:
    """Undo: the kept store takes the live one's place, which is kept in its turn."""
    old = _again(store, kept)
    try:
        swapped = swap(store, old, deed, lease=lease, keep_ms=keep_ms)
    finally:
        old.discard()
    remove_kept(store.engine, kept)
    return swapped


@contextmanager
def opened_kept(store: Store, kept: Kept) -> Iterator[Store]:
    """A kept store, to be read; on SQLite a copy of it."""
    old = _again(store, kept)
    try:
        yield type(store)(old.engine, store.clock, store.key)
    finally:
        old.discard()


def _again(store: Store, kept: Kept) -> Beside:
    engine = store.engine
    if not isinstance(engine, SqliteEngine):
        return SchemaBeside(_server(engine), store.clock.new_id(), kept.name)
    if engine.path is None:
        return MemoryBeside(engine.kept[kept.name])
    return FileBeside(engine.path, store.clock.new_id(), Path(kept.name))


def remove_kept(engine: Engine, kept: Kept) -> None:
    if not isinstance(engine, SqliteEngine):
        _server(engine).drop_schema(kept.name)
    elif engine.path is None:
        engine.kept.pop(kept.name, None)
    else:
        remove_file(kept.name)


def _name(engine: Engine, made_ms: int, until_ms: int) -> str:
    if isinstance(engine, SqliteEngine):
        return f"{engine.path or 'memory'}.{MARK}-{made_ms}-{until_ms}"
    return f"{_server(engine).schema_name()}_{MARK}_{made_ms}_{until_ms}"


def _parsed(name: str) -> Kept | None:
    made, _, until = name.replace(f"_{MARK}_", f".{MARK}-").rpartition(f".{MARK}-")[2].replace(
        "_", "-").partition("-")  # fmt: skip
    return Kept(int(made), int(until), name) if made.isdecimal() and until.isdecimal() else None


def _server(engine: Engine) -> PostgresEngine:
    from memtend.store.postgres import PostgresEngine  # noqa: PLC0415 — an optional extra

    assert isinstance(engine, PostgresEngine)
    return engine
