"""Raw `sqlite3` that keeps the books a memory needs, written by hand for this one purpose.

A put is one transaction that reads what it replaces, numbers the change, keeps totals, and adds a
line to an audit table. No hash, no siblings, no policy. It shows how much of a put's price is the
work itself and how much is memtend.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import orjson

from tests.benchmarks.data import Item

SCHEMA = """
CREATE TABLE IF NOT EXISTS record (seq INTEGER PRIMARY KEY, ns TEXT NOT NULL, key TEXT NOT NULL,
    value BLOB NOT NULL, expires INTEGER);
CREATE UNIQUE INDEX IF NOT EXISTS record_key ON record (ns, key);
CREATE TABLE IF NOT EXISTS total (ns TEXT PRIMARY KEY, records INTEGER, bytes INTEGER);
CREATE TABLE IF NOT EXISTS audit (n INTEGER PRIMARY KEY, at_ms INTEGER, action TEXT, path TEXT);
CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY, seq INTEGER);
INSERT OR IGNORE INTO state VALUES (1, 0);
"""
OLD = "SELECT seq, length(value) FROM record WHERE ns = ? AND key = ?"
TOTAL = (
    "INSERT INTO total VALUES (?,?,?) ON CONFLICT (ns) DO UPDATE SET "
    "records = records + excluded.records, bytes = bytes + excluded.bytes"
)


class Books:
    def __init__(self, path: Path, synchronous: str) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "cache_size=-16384"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("PRAGMA secure_delete=OFF")
        self.connection.executescript(SCHEMA)

    def put(self, item: Item) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self._put(item)
        self.connection.execute("COMMIT")

    def put_many(self, items: list[Item]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        for item in items:
            self._put(item)
        self.connection.execute("COMMIT")

    def _put(self, item: Item) -> None:
        run = self.connection.execute
        value, at = orjson.dumps(item.value), (item.namespace, item.key)
        [(seq,)] = run("SELECT seq FROM state WHERE id = 1").fetchall()
        old = run(OLD, at).fetchone()
        if old is not None:
            run("DELETE FROM record WHERE seq = ?", (old[0],))
        run("INSERT INTO record VALUES (?,?,?,?,?)", (seq + 1, *at, value, None))
        grown = len(value) - (old[1] if old else 0)
        run(TOTAL, (item.namespace, 0 if old else 1, grown))
        path = f"{item.namespace}/{item.key}"
        run("INSERT INTO audit VALUES (?,?,?,?)", (seq + 1, time.time_ns(), "put", path))
        run("UPDATE state SET seq = ? WHERE id = 1", (seq + 1,))

    def close(self) -> None:
        self.connection.close()
