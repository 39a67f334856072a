"""Putting a database that was built beside where no store is, or where one is beyond repair.

Nothing is deleted. A damaged store, or the WAL that a lost one has left, is moved aside as
`damaged-<when>`, in this order:

1. its file gets a second name
2. its WAL moves there: beside another database it would be read into that
3. the new file takes the first name, in one step

A kill before 3 leaves what was there, from 2 on under its second name; a repetition goes on from
there. Programs that still have the damaged file open go on with it: end them first.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.clock import Clock
from memtend.errors import InvalidSettings, MemtendError, StoreExists
from memtend.store.adapting import Deed, adapt
from memtend.store.beside import MARK as BUILDING
from memtend.store.beside import Beside, FileBeside, SchemaBeside, clear_leftovers
from memtend.store.durable import make_folders, sync_folder, translated
from memtend.store.filelock import FileLock
from memtend.store.opening import key_in, postgres_engine
from memtend.store.sqlite import SqliteEngine
from memtend.store.sqlite_swap import sync_file

if TYPE_CHECKING:
    from memtend.store.meta import Meta
    from memtend.store.postgres import PostgresEngine

_MARK: Final = "damaged"
_MOVED: Final = ("-wal", "-shm", "-journal")


class Installed(NamedTuple):
    """`aside` is what the damaged store is called now, if there was one."""

    meta: Meta
    aside: str | None


class Place(NamedTuple):
    """Where a store is to be: what is built for it, the audit key, and the last step."""

    url: str
    built: Beside
    key: bytes
    install: Callable[[Deed], Installed]


def place_for(
    url: str, clock: Clock, *, key_path: str | None, damaged: bool, key: bytes | None = None
) -> Place:
    """An empty database for a store at `url`; raises `StoreExists` where one is already.

    With `damaged` what is there is moved aside at the end. `key` is the audit key to go on with;
    raises `InvalidSettings` where another one is kept already.
    """
    if url.startswith(("postgresql://", "postgres://")):
        if key is None and key_path is not None:  # whoever opens the store will go by this file
            with translated(key_path):
                key = key_in(Path(key_path), clock)
        return _server_place(url, clock, damaged, key, kept_in_file=key_path is not None)
    path = url.removeprefix("sqlite:///")
    if path in ("sqlite://", "", ":memory:"):
        raise InvalidSettings(name="store_url", why="a store in memory cannot be restored into")
    if "://" in path:
        raise InvalidSettings(name="store_url", why=f"{path.split('://')[0]}:// is not known")
    path = os.path.realpath(path)
    taken = _holds(path)
    if taken and not damaged:
        raise StoreExists(url=path)
    with translated(path):
        make_folders(Path(path).parent)
    clear_leftovers(path)
    key_file = Path(key_path or f"{path}.key")
    with translated(path):
        found = key_in(key_file, clock, key)
    if key not in (None, found):
        why = f"{key_file} holds another store's audit key; move it away"
        raise InvalidSettings(name="key_path", why=why)
    key = found
    built = FileBeside(path, clock.new_id())

    def install(deed: Deed) -> Installed:
        meta = adapt(built.engine, None, deed, clock, key, built.engine.file_id())
        built.engine.close()
        lock = FileLock(f"{path}.lock", path)
        try:
            with lock, translated(path):
                _fold(built.path)
                sync_file(built.path)
                if not taken and _holds(path):  # somebody has made one meanwhile
                    raise StoreExists(url=path)
                aside = _move_aside(path, clock.now_ms(), taken)
                if taken:
                    os.replace(built.path, path)  # 3
                else:
                    _place_new(built.path, path)
                sync_folder(os.path.dirname(path))
        finally:
            lock.close()
        return Installed(meta, aside if taken else None)

    return Place(f"sqlite:///{path}", built, key, install)


def _fold(path: str) -> None:
    """Nothing may be left in a WAL, which would not move with the file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for companion in _MOVED:
        with suppress(FileNotFoundError):
            os.unlink(path + companion)


def _place_new(built: str, path: str) -> None:
    """Never over a store that somebody else has made meanwhile."""
    if os.path.exists(path) and os.path.getsize(path) == 0:
        os.unlink(path)
    try:
        os.link(built, path)
    except FileExistsError as error:
        raise StoreExists(url=path) from error


def _holds(path: str) -> bool:
    return os.path.exists(path) and os.path.getsize(path) > 0


def _move_aside(path: str, now_ms: int, taken: bool) -> str:
    aside = f"{path}.{_MARK}-{now_ms}"
    while any(os.path.exists(aside + companion) for companion in ("", *_MOVED)):
        now_ms += 1
        aside = f"{path}.{_MARK}-{now_ms}"
    if taken:
        os.link(path, aside)  # 1
    for companion in _MOVED:
        with suppress(FileNotFoundError):
            os.rename(path + companion, aside + companion)  # 2
    sync_folder(os.path.dirname(path))
    return aside


def _server_place(
    url: str, clock: Clock, damaged: bool, known: bytes | None, *, kept_in_file: bool
) -> Place:
    from memtend.store.postgres_swap import exchange  # noqa: PLC0415

    engine = postgres_engine(url)
    here = engine.schema_name()
    taken = bool(engine.tables(here))
    if taken and not damaged:
        raise StoreExists(url=engine.url)
    fresh = bytes.fromhex(clock.new_id() + clock.new_id())
    key = known or (_server_key(engine, clock) if taken else fresh)
    for left in engine.schemas(f"{here}_{BUILDING}_"):  # what killed ones have built
        engine.drop_schema(left)
    built = SchemaBeside(engine, clock.new_id())

    def install(deed: Deed) -> Installed:
        meta = adapt(built.engine, None, deed, clock, key, engine.file_id())
        if known is None or not kept_in_file:
            _save_key(built.engine, key)
        aside = f"{here}_{_MARK}_{clock.now_ms()}" if taken else None
        with engine.connect() as connection:
            exchange(connection, engine, built.schema, aside)
        return Installed(meta, aside)

    return Place(engine.url, built, key, install)


def _server_key(engine: PostgresEngine, clock: Clock) -> bytes:
    """The key of the damaged store if it can still be read, so that the trail goes on under it."""
    with suppress(MemtendError, ValueError):
        rows = engine.read("setting", ("audit_key",))
        if rows:
            return bytes.fromhex(rows[0][0])
    return bytes.fromhex(clock.new_id() + clock.new_id())


def _save_key(engine: PostgresEngine | SqliteEngine, key: bytes) -> None:
    from memtend.store.meta import crc_of  # noqa: PLC0415

    row = ("audit_key", key.hex())
    with engine.write() as tx:
        tx.run("save_setting", (*row, crc_of(row)))
