"""The swap on SQLite: all pages of another database into this file, in one transaction.

The engine's own backup writes them into the WAL under the write lock and commits once, so other
processes keep their connections, and readers their snapshots.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from memtend.errors import MemtendError, StoreBusy
from memtend.limits import BUSY_WAIT_MS
from memtend.store.adapting import Live, adapt
from memtend.store.beside import remove_file
from memtend.store.durable import sync_folder, translated
from memtend.store.sqlite import SqliteEngine
from memtend.store.sqlite_tx import SqliteReader
from memtend.store.store import check_lease

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.adapting import Deed
    from memtend.store.beside import Beside
    from memtend.store.meta import Meta
    from memtend.store.store import Store

_PAUSE_S: Final = 0.05
_TRIES: Final = int(BUSY_WAIT_MS / 1_000 / _PAUSE_S)


def swap_sqlite(
    store: Store, beside: Beside, deed: Deed, lease: Lease | None, keep: str
) -> tuple[Live, Meta]:
    engine, built = store.engine, beside.engine
    assert isinstance(engine, SqliteEngine)
    assert isinstance(built, SqliteEngine)
    try:
        with engine._lock, engine._read_lock, _connected(engine) as connection:
            reader = SqliteReader(connection, engine.statements)
            live = Live.of(reader, engine.url)  # 1
            if lease is not None:
                granted = reader.fetch("lease_grant", (lease.resource, lease.fence.n))
                check_lease(store, lease, live.meta, reader.fetch("lease_now"), granted)
            meta = adapt(built, live, deed, store.clock, store.key, engine.file_id())  # 2
            if not live.untouched:
                keep_copy(engine, connection, keep, store.clock.new_id())  # 3
            try:
                with _connected(built) as source:
                    copy_pages(source, connection, engine.url)  # 4
            except (sqlite3.Error, MemtendError):
                forget_kept(engine, keep)  # nothing was replaced
                raise
            if engine.path is not None:
                engine._sync_wal()
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    except sqlite3.Error as error:
        raise engine._explain(error) from error
    return live, meta


def keep_copy(engine: SqliteEngine, connection: sqlite3.Connection, keep: str, new_id: str) -> None:
    """A whole copy under its final name only once it is safe."""
    if engine.path is None:
        engine.kept[keep] = connection.serialize()
        return
    draft = f"{engine.path}.keeping-{new_id}"
    with translated(engine.url):
        try:
            with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
                for pragma in ("journal_mode=OFF", "synchronous=OFF"):
                    copy.execute(f"PRAGMA {pragma}")
                copy_pages(connection, copy, engine.url)
            sync_file(draft)
            os.rename(draft, keep)
            sync_folder(os.path.dirname(keep))
        except BaseException:
            if os.path.exists(draft):
                os.unlink(draft)
            raise


def forget_kept(engine: SqliteEngine, keep: str) -> None:
    engine.kept.pop(keep, None)
    if engine.path is not None:
        with suppress(MemtendError):
            remove_file(keep)


def copy_pages(source: sqlite3.Connection, target: sqlite3.Connection, url: str) -> None:
    tries = 0

    def look(status: int, remaining: int, total: int) -> None:
        nonlocal tries
        tries += 1
        if tries > _TRIES:  # somebody without our lock writes to the file
            raise StoreBusy(url=url, waited_s=BUSY_WAIT_MS / 1_000, why="its pages are locked")

    source.backup(target, pages=-1, progress=look, sleep=_PAUSE_S)


def sync_file(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _connected(engine: SqliteEngine) -> Iterator[sqlite3.Connection]:
    if engine._memory is not None:
        yield engine._memory
        return
    with closing(engine._connect()) as connection:
        connection.execute("PRAGMA cache_size=-4096")  # pages pass through once
        yield connection
