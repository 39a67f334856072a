"""Migrating the schema of a SQLite file: in place, in one transaction under the write lock.

Readers go on with the old state until it commits. A program that has the file open and waits to
write goes on after it, and notices (`Store.notice`).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from memtend.limits import SCHEMA_WAIT_MS
from memtend.store import schema
from memtend.store.beside import copy_file, remove_file
from memtend.store.durable import translated
from memtend.store.engine import Transaction
from memtend.store.filelock import FileLock
from memtend.store.meta import Meta
from memtend.store.snapshots import drop_rehearsals, rehearsal_name
from memtend.store.sqlite import SqliteEngine
from memtend.store.sqlite_swap import copy_pages, forget_kept, keep_copy
from memtend.store.sqlite_tx import SqliteReader
from memtend.store.upgrade_ground import Ground, Hand


class FileGround:
    def __init__(self, path: str) -> None:
        self.engine = SqliteEngine(os.path.realpath(path))
        self._path = os.path.realpath(path)

    @contextmanager
    def alone(self) -> Iterator[None]:
        lock = FileLock(f"{self._path}.migrating", self.engine.url)
        lock.busy_ms = SCHEMA_WAIT_MS
        try:
            with lock:
                yield
        finally:
            lock.close()

    @contextmanager
    def copied(self, new_id: str, found: str) -> Iterator[Ground]:
        drop_rehearsals(self.engine)
        scratch = rehearsal_name(self.engine, new_id)
        try:
            copy_file(Path(self._path), scratch)
            copy = FileGround(scratch)
            with closing(copy.engine):
                yield copy
        finally:
            remove_file(scratch)

    @contextmanager
    def revising(self) -> Iterator[Hand]:
        engine = self.engine
        try:
            # A connection that stays: the log would go with the last one before it was synced.
            with engine._lock, closing(engine._connect()) as held:
                with schema.revising(engine, engine._connect) as revising:
                    tx = SqliteReader(revising.connection, engine.statements)
                    yield Hand(tx, revising.connection, revising.to)
                engine._sync_wal()
                held.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            raise engine._explain(error) from error

    def keep(self, hand: Hand, name: str, found: str) -> None:
        """By a connection of its own, which sees what was committed: nothing of the change."""
        with closing(self.engine._connect()) as connection:
            keep_copy(self.engine, connection, name, os.path.basename(name))

    def forget(self, name: str) -> None:
        forget_kept(self.engine, name)

    def swap_back(
        self, name: str, keep: str, found: str, adapt: Callable[[Transaction, Meta], None]
    ) -> None:
        engine, scratch = self.engine, rehearsal_name(self.engine, os.path.basename(keep))
        try:
            with engine._lock, closing(engine._connect()) as live:
                meta = Meta.of(SqliteReader(live, engine.statements).fetch("meta"), engine.url)
                copy_file(Path(name), scratch)
                with closing(sqlite3.connect(scratch, isolation_level=None)) as built:
                    built.execute("BEGIN")
                    adapt(SqliteReader(built, engine.statements), meta)
                    built.execute("COMMIT")
                    keep_copy(engine, live, keep, os.path.basename(keep))
                    copy_pages(built, live, engine.url)
                engine._sync_wal()
                live.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            raise engine._explain(error) from error
        finally:
            remove_file(scratch)

    def kept(self, name: str) -> tuple[str, Meta]:
        try:
            with closing(sqlite3.connect(f"{Path(name).as_uri()}?immutable=1", uri=True)) as kept:
                reader = SqliteReader(kept, self.engine.statements)
                [(found,)] = kept.execute("SELECT version_num FROM alembic_version").fetchall()
                return str(found), Meta.of(reader.fetch("meta"), name)
        except sqlite3.Error as error:
            raise self.engine._explain(error) from error

    def size_bytes(self) -> int:
        with translated(self.engine.url):
            return sum(
                os.path.getsize(path)
                for path in (self._path, f"{self._path}-wal")
                if os.path.exists(path)
            )

    def free_bytes(self) -> int | None:
        return shutil.disk_usage(os.path.dirname(self._path)).free
