"""Entries written the way the lifecycle tool wrote them, quirks included.

File names are lossy, values over the threshold become base64(gzip(JSON)), and the SQLite file
repeats what the JSON files say, with a path of the machine that they were written on.
"""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

_LEGACY_POLICIES = Path(__file__).resolve().parent / "memory-retention-policies.yaml"
_PACK_BYTES = 512
_TABLE = """
CREATE TABLE memory_metadata (
    key TEXT PRIMARY KEY, namespace TEXT NOT NULL, timestamp REAL NOT NULL,
    version INTEGER DEFAULT 1, compressed INTEGER DEFAULT 0, file_path TEXT NOT NULL,
    created_at REAL, accessed_at REAL)
"""


class Entry(NamedTuple):
    """One key; `losers` are values with times that lost a conflict."""

    key: str
    value: Any
    at: float
    version: int = 1
    losers: list[tuple[Any, float]] = []  # noqa: RUF012 — never changed


def write_lifecycle(root: Path, entries: Iterable[Entry], now: float) -> None:
    memory = root / ".claude-flow" / "memory"
    memory.mkdir(parents=True, exist_ok=True)
    (root / ".claude").mkdir(exist_ok=True)
    shutil.copyfile(_LEGACY_POLICIES, root / ".claude" / _LEGACY_POLICIES.name)
    rows = []
    for entry in entries:
        name = entry.key.replace("/", "_").replace(":", "_") + ".json"
        item = _item(entry)
        (memory / name).write_text(json.dumps(item, indent=2), "utf-8")
        accessed = min(now, entry.at + 3_600)
        row = (entry.key, item["namespace"], entry.at, entry.version, item["compressed"])
        rows.append((*row, f"/srv/agents/memory/{name}", entry.at, accessed))
    (memory / "knowledge_draft.json").write_text('{\n  "key": "knowledge/draft",\n  "value": {"te')
    database = root / ".claude-flow" / "memory.db"
    database.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(_TABLE)
        connection.executemany("INSERT INTO memory_metadata VALUES (?,?,?,?,?,?,?,?)", rows)


def _item(entry: Entry) -> dict[str, Any]:
    value, compressed = _packed(entry.value)
    return {
        "key": entry.key,
        "value": value,
        "timestamp": entry.at,
        "namespace": "/".join(entry.key.split("/")[:2]),
        "compressed": compressed,
        "version": entry.version,
        "conflicted": bool(entry.losers),
        "conflict_values": [[_packed(loser)[0], at] for loser, at in entry.losers],
    }


def _packed(value: Any) -> tuple[Any, bool]:
    data = json.dumps(value, separators=(",", ":")).encode()
    if len(data) < _PACK_BYTES:
        return value, False
    return base64.b64encode(gzip.compress(data, 6, mtime=0)).decode(), True
