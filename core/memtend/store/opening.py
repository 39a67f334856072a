"""Opening a store: engine by URL, schema, identity, seal key, and noticing a copied file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from memtend.clock import Clock
from memtend.errors import InvalidSettings, StoreMissing, StoreUnavailable
from memtend.store import schema
from memtend.store.audit import GENESIS
from memtend.store.ballast import Ballast
from memtend.store.durable import make_folders, sync_folder, translated
from memtend.store.engine import Engine, Row, Transaction
from memtend.store.interned import replica_row
from memtend.store.meta import Meta, crc_of
from memtend.store.sqlite import SqliteEngine
from memtend.store.told import has_told, was_put_back

if TYPE_CHECKING:
    from memtend.store.postgres import PostgresEngine

_KEY_BYTES = 32


def engine_for(url: str, *, create: bool, durable: bool) -> Engine:
    """The engine of a URL or plain path. Makes the schema if the store is new and `create`."""
    if url.startswith(("postgresql://", "postgres://")):
        return _postgres(url, create=create, durable=durable)
    path = url.removeprefix("sqlite:///") if url.startswith("sqlite:///") else url
    if path in ("sqlite://", "", ":memory:"):
        engine = SqliteEngine(None)
        schema.upgrade(engine, lambda: engine._memory)
        return engine
    if "://" in path:
        raise InvalidSettings(name="store_url", why=f"{path.split('://')[0]}:// is not known")
    return _file(path, create, durable)


def _file(path: str, create: bool, durable: bool) -> Engine:
    new = not os.path.exists(path) or os.path.getsize(path) == 0
    if new and not create:
        raise StoreMissing(url=path)
    if new:
        with translated(path):
            make_folders(Path(os.path.realpath(path)).parent)
    engine = SqliteEngine(os.path.realpath(path), durable=durable)
    # Even reading needs a page or two beside the file; on a full disk the ballast has them.
    with _closed_unless_opened(engine):
        Ballast(engine.path).deleting(lambda: _prepare(engine, path, new))
    return engine


@contextmanager
def _closed_unless_opened(engine: Engine) -> Iterator[None]:
    """A store that is refused is left as it was found, without a log beside it."""
    try:
        yield
    except BaseException:
        engine.close()
        raise


def _prepare(engine: SqliteEngine, path: str, new: bool) -> None:
    if new or schema.revision(engine) is None:
        with engine._lock:
            # Another process may have made it while this one waited.
            if not _made(engine, path):
                schema.upgrade(engine, engine._connect)
    schema.check(engine)


def _made(engine: SqliteEngine, path: str) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
    try:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute(query).fetchone() is not None
    except sqlite3.Error as error:
        raise engine._explain(error) from error


def postgres_engine(url: str, *, durable: bool = True) -> PostgresEngine:
    """The engine alone, whatever tables there are."""
    try:
        from memtend.store.postgres import PostgresEngine  # noqa: PLC0415 — an optional extra
    except ImportError as error:
        why = "the PostgreSQL driver is not installed (pip install 'memtend[postgres]')"
        raise StoreUnavailable(url="postgresql://…", why=why) from error
    return PostgresEngine(url, durable=durable)


def _postgres(url: str, *, create: bool, durable: bool) -> Engine:
    engine = postgres_engine(url, durable=durable)
    with _closed_unless_opened(engine):
        if schema.revision(engine) is None and not schema.has_tables(engine):
            if not create:
                raise StoreMissing(url=engine.url)
            schema.upgrade(engine, engine.connect)
        schema.check(engine)
    return engine


def identify(engine: Engine, clock: Clock) -> Meta:
    """Read who this store is. New or copied databases draw a new replica id first."""
    file_id = engine.file_id()  # before the write: a refused question would end the transaction
    if rows := engine.read("meta"):
        meta = Meta.of(rows, engine.url)
        if not _is_other(engine, engine.read, meta, file_id):
            return meta  # the usual case waits for no writer
    with engine.write() as tx:
        # Two that make a store at once find no meta row to wait at; the schema's is there already.
        tx.fetch("revision_locked")
        rows = tx.fetch("meta_locked")
        if not rows:
            return _found(tx, clock, file_id)
        meta = Meta.of(rows, engine.url)
        other = _is_other(engine, tx.fetch, meta, file_id)
        return _adopt(tx, clock, meta, file_id) if other else meta


def _is_other(engine: Engine, read: Callable[[str], list[Row]], meta: Meta, file_id: str) -> bool:
    """Whether the database was copied, or its file put back, since this replica wrote to it."""
    if meta.file_id != file_id:
        return True
    return has_told(engine) and was_put_back(engine, read("replicas"), meta.replica_no, meta.n)


def _found(tx: Transaction, clock: Clock, file_id: str) -> Meta:
    """The first line of history of a new store."""
    now_ms = clock.now_ms()
    tx.run("add_replica", replica_row(1, clock.new_id(), 0, 0, now_ms))
    meta = Meta(clock.new_id(), 1, 0, 0, 0, 0, 0, 0, 0, bytes(16), 0, GENESIS, 1, now_ms, file_id)
    tx.run("add_meta", (1, *meta.params()))
    return meta


def _adopt(tx: Transaction, clock: Clock, meta: Meta, file_id: str) -> Meta:
    """A copy begins its own line of history; what it wrote so far stays in the version vector."""
    rows = tx.fetch("replicas")
    number, replica, _, floor, created_ms, _ = next(r for r in rows if r[0] == meta.replica_no)
    ended = (number, replica, meta.n, floor, created_ms)
    tx.run("save_replica", (meta.n, floor, crc_of(ended), number))
    fresh = max(row[0] for row in rows) + 1
    tx.run("add_replica", replica_row(fresh, clock.new_id(), 0, 0, clock.now_ms()))
    meta = meta._replace(replica_no=fresh, n=0, file_id=file_id)
    tx.run("save_meta", meta.params())
    return meta


def seal_key(engine: Engine, path: str | None, clock: Clock) -> bytes:
    """The audit key: from `path`, else beside the database file, else in the database itself."""
    if path is None and engine.url.startswith("sqlite:///"):
        path = engine.url.removeprefix("sqlite:///") + ".key"
    if path is not None:
        with translated(engine.url):
            return key_in(Path(path), clock)
    if rows := engine.read("setting", ("audit_key",)):
        return bytes.fromhex(rows[0][0])
    key = clock.new_id() + clock.new_id()
    with engine.write() as tx:
        tx.run("save_setting", ("audit_key", key, crc_of(("audit_key", key))))
    return bytes.fromhex(key)


def key_in(path: Path, clock: Clock, first: bytes | None = None) -> bytes:
    """The audit key in this file; where none is there it becomes `first`, or one that is drawn."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{clock.new_id()}")
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(first.hex() if first else clock.new_id() + clock.new_id())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process made it first; its key holds
            os.link(draft, path)
        sync_folder(path.parent)  # without its key the audit trail of a surviving store is broken
        draft.unlink()
    try:
        key = bytes.fromhex(path.read_text().strip())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise InvalidSettings(
            name="key_path", why=f"{path} does not hold {_KEY_BYTES} bytes as hex"
        )
    return key
