"""Getting rid of the bytes: what a database has deleted still lies in its pages until rewritten.

SQLite: deleted cells are overwritten, the file is rebuilt, the WAL folded in and cut to nothing.
PostgreSQL: dead rows are removed; only a full rewrite also drops their bytes, and the server's own
write-ahead log, its replicas and its base backups keep them for as long as the server is set to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape, glob
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.errors import MemtendError, StoreBusy, StoreFull
from memtend.store.sqlite_tx import SqliteReader

if TYPE_CHECKING:
    from memtend.store.store import Store

SERVER_KEEPS: Final = (
    "the server's write-ahead log, its replicas and its base backups are its own: they keep what "
    "was erased until they are recycled"
)
_TABLES: Final = ("sibling", "tag", "log", "access", "op", "tally", "namespace", "audit", "meta",
                  "setting", "access_grant", "lease", "lease_accepted",
                  "lease_grant", "lease_ticket", "peer", "replica",
                  "message", "delivery", "lane", "inbox", "member", "migration", "alert",
                  "ghost", "latency", "metric", "pruning", "regret", "silence",
                  "access_log", "model", "trial")  # fmt: skip
_PLAIN: Final = "freed space was not overwritten: --full rewrites the tables"
_READER: Final = "another program still reads an older state of the store"
_NO_ROOM: Final = "no space left to rebuild the file; deleted cells were overwritten in place"


class Rewritten(NamedTuple):
    """Whether the files hold nothing deleted any more, and what an operator must know."""

    whole: bool
    notes: tuple[str, ...] = ()


@contextmanager
def overwriting(store: Store) -> Iterator[None]:
    """Within it, SQLite fills with zeros what it deletes."""
    _secure(store, on=True)
    try:
        yield
    finally:
        with suppress(MemtendError):  # the first error is the one to tell
            _secure(store, on=False)


def _secure(store: Store, *, on: bool) -> None:
    if store.engine.kind == "sqlite":
        with store.engine.write() as tx:
            if isinstance(tx, SqliteReader):
                tx.connection.execute(f"PRAGMA secure_delete={'ON' if on else 'OFF'}")


def rewrite(store: Store, *, full: bool = False) -> Rewritten:
    """Rebuild the files without what was deleted. On a full disk the ballast is given up first."""
    if store.engine.kind != "sqlite":
        return _postgres(store, full)
    notes = []
    try:
        store.ballast.deleting(lambda: store.engine.script("VACUUM"))
    except StoreFull:
        notes.append(_NO_ROOM)
    except StoreBusy:
        notes.append(_READER)
    busy = _fold(store)
    store.ballast.fill()
    if busy and _READER not in notes:
        notes.append(_READER)
    return Rewritten(not notes, tuple(notes))


def _fold(store: Store) -> bool:
    """Fold the WAL into the file and cut it; True where a reader is in the way.

    The engine waits for readers as long as for any lock.
    """
    try:
        [(busy, *_)] = store.engine.script("PRAGMA wal_checkpoint(TRUNCATE)")
    except StoreBusy:
        return True
    return bool(busy)


def _postgres(store: Store, full: bool) -> Rewritten:
    options = "FULL, ANALYZE" if full else "ANALYZE"  # statistics hold samples of names
    for table in _TABLES:
        store.engine.script(f"VACUUM ({options}) {table}")
    return Rewritten(full, (SERVER_KEEPS,) if full else (_PLAIN, SERVER_KEEPS))


def files_of(store: Store) -> list[str]:
    """Every file of the database: its WAL, locks and ballast, and copies that lie beside it."""
    path = store.engine.path
    if path is None:
        return []
    found = [path, *glob(f"{escape(path)}-*"), *glob(f"{escape(path)}.*")]
    return sorted(filter(os.path.isfile, found))
