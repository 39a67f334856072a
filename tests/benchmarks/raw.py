"""The yardstick: the standard library's `sqlite3`, used as well as it can be used.

One table with a unique index, constant statements that stay prepared, WAL, autocommit where one
statement is the transaction, values as orjson bytes. It does what a cache does: no hash, no
history, no totals, no audit. `KeptBooks` does write the same books by hand.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from tests.benchmarks.data import Item

GET = "SELECT value, expires FROM record WHERE ns = ? AND key = ?"
GET_MANY = (
    "SELECT key, value, expires FROM record "
    "WHERE ns = ? AND key IN (SELECT value FROM json_each(?))"
)
SCAN = "SELECT key, value, expires FROM record WHERE ns = ? AND key > ? ORDER BY key LIMIT ?"
TAGGED = (
    "SELECT r.ns, r.key, r.value, r.expires FROM tag t JOIN record r ON r.rowid = t.record "
    "WHERE t.tag = ? ORDER BY t.record LIMIT ?"
)
PUT = (
    "INSERT INTO record (ns, key, value, expires) VALUES (?,?,?,?) "
    "ON CONFLICT (ns, key) DO UPDATE SET value = excluded.value, expires = excluded.expires"
)
TAG = "INSERT INTO tag (tag, record) SELECT ?, rowid FROM record WHERE ns = ? AND key = ?"
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS record "
    "(ns TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, expires INTEGER)",
    "CREATE UNIQUE INDEX IF NOT EXISTS record_key ON record (ns, key)",
    "CREATE TABLE IF NOT EXISTS tag (tag TEXT NOT NULL, record INTEGER NOT NULL, "
    "PRIMARY KEY (tag, record)) WITHOUT ROWID",
)


class Raw:
    """One connection to one file."""

    def __init__(self, path: Path, synchronous: str) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "cache_size=-16384"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("PRAGMA secure_delete=OFF")  # as in our own store
        for statement in SCHEMA:
            self.connection.execute(statement)

    def get(self, at: tuple[str, str]) -> Any:
        row = self.connection.execute(GET, at).fetchone()
        if row is None or (row[1] is not None and row[1] <= _now_ms()):
            return None
        return orjson.loads(row[0])

    def get_many(self, namespace: str, keys: Sequence[str]) -> dict[str, Any]:
        rows = self.connection.execute(GET_MANY, (namespace, orjson.dumps(keys).decode()))
        return _alive(rows)

    def scan(self, namespace: str, after: str, limit: int) -> dict[str, Any]:
        return _alive(self.connection.execute(SCAN, (namespace, after, limit)))

    def tagged(self, tag: str, limit: int) -> list[tuple[str, str, Any]]:
        now = _now_ms()
        rows = self.connection.execute(TAGGED, (tag, limit))
        return [(n, k, orjson.loads(v)) for n, k, v, exp in rows if exp is None or exp > now]

    def put(self, item: Item) -> None:
        self.connection.execute(PUT, (item.namespace, item.key, orjson.dumps(item.value), None))

    def put_many(self, items: Sequence[Item]) -> None:
        dumps = orjson.dumps
        self.connection.execute("BEGIN IMMEDIATE")
        rows = [(ns, key, dumps(value), None) for ns, key, value, _ in items]
        self.connection.executemany(PUT, rows)
        tags = [(tag, ns, key) for ns, key, _, tag in items if tag]
        self.connection.executemany(TAG, tags)
        self.connection.execute("COMMIT")

    def put_expiring(self, items: Sequence[tuple[Item, int | None]]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        rows = [(one.namespace, one.key, orjson.dumps(one.value), exp) for one, exp in items]
        self.connection.executemany(PUT, rows)
        self.connection.execute("COMMIT")

    def index_expiry(self) -> None:
        """What a table with deadlines has and this one needs only for the sweep."""
        self.connection.execute(
            "CREATE INDEX IF NOT EXISTS record_expires ON record (expires) "
            "WHERE expires IS NOT NULL"
        )

    def delete_expired(self) -> int:
        sql = "DELETE FROM record WHERE expires IS NOT NULL AND expires <= ?"
        return self.connection.execute(sql, (_now_ms(),)).rowcount

    def fold(self) -> None:
        """Bring the WAL into the file, so that the file's size says something."""
        self.connection.execute("PRAGMA wal_checkpoint(FULL)")

    def close(self) -> None:
        self.connection.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _alive(rows: Any) -> dict[str, Any]:
    now = _now_ms()
    return {k: orjson.loads(v) for k, v, exp in rows if exp is None or exp > now}
