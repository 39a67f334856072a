"""SQLite: one file in WAL mode, a reader connection per thread, one writer per store.

Durability `full`: SQLite runs with `synchronous=NORMAL`, which never corrupts, and this module
fsyncs the WAL before a write returns, after the write lock is free. So eight writers share fsyncs
instead of queueing for them, and an acknowledged write survives a power cut all the same.

All commits, and with them SQLite's automatic checkpoints, happen under one file lock. There is
never a second checkpointer, which also keeps clear of the WAL-reset bug before SQLite 3.51.3.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from typing import Any

import orjson

from memtend.errors import (
    InvalidName,
    MemtendError,
    StoreBusy,
    StoreClosed,
    StoreDamaged,
    StoreFull,
    StoreUnavailable,
)
from memtend.limits import BUSY_WAIT_MS, WAL_CHECKPOINT_BYTES
from memtend.store import forked
from memtend.store.durable import sync_folder
from memtend.store.engine import NOT_TEXT, Row, keep_for_ever, survives_fork
from memtend.store.filelock import FileLock, GroupSync
from memtend.store.sql import sqlite_statements
from memtend.store.sqlite_tx import Locked, SqliteReader, SqliteWrite

PAGE_BYTES = 4_096
_STATEMENT_CACHE = 256
_WAL_FIXED = (3, 51, 3)


class SqliteEngine:
    """`path` None is a store in memory, gone when closed."""

    kind = "sqlite"

    def __init__(self, path: str | None, *, durable: bool = True) -> None:
        self.url = "sqlite://" if path is None else f"sqlite:///{path}"
        self.statements = sqlite_statements()
        self._path = path
        self.path = path
        self._durable = durable and path is not None
        self.kept: dict[str, bytes] = {}
        """What restores have replaced, where there is no file to keep it in."""
        self._open = True
        self._shared: forked.Identity | None = None
        self._busy_ms = BUSY_WAIT_MS
        self._start()
        survives_fork(self)

    def _start(self) -> None:
        self._generation = object()
        self._local = threading.local()
        self._memory = None if self._path else self._connect()
        self._writer: SqliteReader | None = None
        self._wal_fd = -1
        self._lock = FileLock(self._path and f"{self._path}.lock", self.url)
        self._lock.busy_ms = self._busy_ms
        self._group = GroupSync(self._sync_wal)
        self._read_lock = threading.RLock()

    def read(self, name: str, params: Sequence[Any] = ()) -> list[Row]:
        try:
            execute = self._local.execute
        except AttributeError:
            execute = self._new_reader()
        try:
            rows: list[Row] = execute(self.statements[name], params).fetchall()
        except sqlite3.Error as error:
            raise self._explain(error) from error
        except UnicodeEncodeError as error:
            raise InvalidName(what="name", name=error.object, why=NOT_TEXT) from error
        return rows

    def write(self) -> SqliteWrite:
        return SqliteWrite(self)

    @contextmanager
    def snapshot(self, shared: str | None = None) -> Iterator[SqliteReader]:
        if shared is not None:
            raise StoreUnavailable(url=self.url, why="SQLite has no views that processes share")
        try:
            with closing(self._snapshot_connection()) as connection:
                connection.execute("BEGIN")
                connection.execute("SELECT 1 FROM meta").fetchone()
                yield SqliteReader(connection, self.statements)
        except sqlite3.Error as error:
            raise self._explain(error) from error

    @contextmanager
    def consistent(self) -> Iterator[None]:
        """Within it, the `read`s of this thread see one state of the database."""
        connection = self._thread_connection()
        with self._read_lock if connection is self._memory else nullcontext():
            if connection.in_transaction:  # within a write: nobody else changes anything
                yield
                return
            try:
                connection.execute("BEGIN")
                yield
            except sqlite3.Error as error:
                raise self._explain(error) from error
            finally:
                # Nothing was written; a damaged file may not even let go in order.
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")

    def hurry(self, busy_ms: int) -> None:
        self._busy_ms = self._lock.busy_ms = busy_ms
        opened = [self._thread_connection()]
        if self._writer is not None:
            opened.append(self._writer.connection)
        for connection in opened:
            connection.execute(f"PRAGMA busy_timeout={busy_ms:d}")

    def array(self, values: Sequence[Any]) -> str:
        return orjson.dumps(values).decode()

    def file_id(self) -> str:
        if self._path is None:
            return f"memory:{os.getpid()}"
        status = os.stat(self._path)
        return f"{status.st_dev}:{status.st_ino}"

    def script(self, sql: str) -> list[Row]:
        # Who only looks waits for no writer: a store can be opened while somebody writes for long.
        with nullcontext() if sql.startswith("SELECT ") else self._lock, self._read_lock:
            try:
                return (self._memory or self._thread_connection()).execute(sql).fetchall()
            except sqlite3.Error as error:
                raise self._explain(error) from error

    def integrity(self) -> list[str]:
        return [text for (text,) in self.script("PRAGMA integrity_check(100)") if text != "ok"]

    def notes(self) -> tuple[str, ...]:
        if sqlite3.sqlite_version_info >= _WAL_FIXED:
            return ()
        note = "has the WAL-reset bug; memtend checkpoints under its lock and keeps clear of it"
        return (f"SQLite {sqlite3.sqlite_version} {note}",)

    def size_bytes(self) -> int:
        [(pages,)] = self.script("PRAGMA page_count")
        return int(pages) * PAGE_BYTES

    def server_ms(self) -> int | None:
        return None

    def leave(self) -> None:
        connection = getattr(self._local, "connection", None)
        self._local.__dict__.clear()
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Close every connection of this process. The last one out folds the WAL into the file."""
        self._open = False
        connections = [self._memory, self._writer.connection if self._writer else None]
        connections.append(getattr(self._local, "connection", None))
        self._local, self._writer = threading.local(), None
        for connection in connections:
            if connection is not None:
                connection.close()
        if self._wal_fd >= 0:
            os.close(self._wal_fd)
            self._wal_fd = -1
        self._lock.close()

    def foresee(self) -> None:
        self._shared = None if self._path is None else forked.shared_memory(self._path)

    def abandon(self) -> None:
        keep_for_ever((self._local, self._writer, self._memory, self._lock))
        self._lock.abandon()
        if self._path is None:
            # The child's copy of a store in memory is its own: no lock or statement is shared.
            if self._open and self._memory is not None and self._memory.in_transaction:
                self._memory.execute("ROLLBACK")
            self._generation, self._lock = object(), FileLock(None, self.url)
            self._read_lock = threading.RLock()
            return
        forked.inherit(self._path, self._shared)
        if self._open:
            self._start()

    # connections

    def _connect(self) -> sqlite3.Connection:
        if not forked.is_usable(self._path):
            raise StoreClosed(url=f"{self.url} (by the parent, while this process was forked)")
        connection = sqlite3.connect(
            self._path or ":memory:",
            timeout=self._busy_ms / 1_000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENT_CACHE,
        )
        # Asked of a file that has tables already, it would write to it each time.
        fresh = self._path is not None and not os.path.getsize(self._path)
        for pragma in (
            *(("auto_vacuum=INCREMENTAL",) if fresh else ()),
            f"page_size={PAGE_BYTES}",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            f"wal_autocheckpoint={WAL_CHECKPOINT_BYTES // PAGE_BYTES}",
            "cache_size=-16384",
            "secure_delete=OFF",
            "trusted_schema=OFF",
        ):
            try:
                connection.execute(f"PRAGMA {pragma}")
            except UnicodeDecodeError as error:
                # The driver cannot even say what SQLite complains of: names in the schema.
                raise StoreDamaged(url=self.url, why="its schema cannot be read") from error
        return connection

    def _thread_connection(self) -> sqlite3.Connection:
        self._new_reader()
        connection: sqlite3.Connection = self._memory or self._local.connection
        return connection

    def _new_reader(self) -> Any:
        if not self._open:
            raise StoreClosed(url=self.url)
        if self._memory is not None:
            self._local.execute = Locked(self._memory, self._read_lock)
        elif not hasattr(self._local, "connection"):
            try:
                self._local.connection = self._connect()
            except sqlite3.Error as error:
                raise self._explain(error) from error
            self._local.execute = self._local.connection.execute
        return self._local.execute

    def _new_writer(self) -> SqliteReader:
        self._writer = SqliteReader(self._memory or self._connect(), self.statements)
        return self._writer

    def _snapshot_connection(self) -> sqlite3.Connection:
        if self._memory is None:
            return self._connect()
        copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        with self._read_lock:
            copy.deserialize(self._memory.serialize())
        return copy

    # durability and errors

    def _sync_wal(self) -> None:
        try:
            if self._wal_fd < 0:
                sync_folder(os.path.dirname(str(self._path)))
                # It lives as long as a connection of ours is open, so the descriptor stays good.
                self._wal_fd = os.open(f"{self._path}-wal", os.O_RDONLY | os.O_CLOEXEC)
            os.fdatasync(self._wal_fd)
        except OSError as error:
            # After a failed fsync the kernel may have dropped the pages: only a new open can tell.
            self._open = False
            raise StoreDamaged(url=self.url, why=f"fsync failed: {error.strerror}") from error

    def _explain(self, error: sqlite3.Error) -> MemtendError:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return StoreBusy(url=self.url, waited_s=self._busy_ms / 1_000, why=str(error))
        if name in ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"):
            return StoreFull(url=self.url)
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "UTF-8" in str(error):
            return StoreDamaged(url=self.url, why=str(error))
        if isinstance(error, sqlite3.ProgrammingError) and not self._open:
            return StoreClosed(url=self.url)
        return StoreUnavailable(url=self.url, why=str(error))
