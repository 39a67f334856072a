"""Entries written the way the older swarm program wrote them: gzip'd JSON with a hash, in SQLite.

`expires_at` has no zone and `created_at` is UTC, as it was. Locks and polled messages are there
too: an importer tells them and takes none of them over.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

DAY = 86_400.0
SWARM = "demo"
Entry = tuple[str, str, str | None, Any, float, float]
_TABLE = """
CREATE TABLE memory_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, memory_key TEXT UNIQUE NOT NULL, category TEXT NOT NULL,
    swarm_id TEXT, agent_name TEXT, session_id TEXT, data_hash TEXT NOT NULL, compressed_data BLOB,
    metadata TEXT, created_at TIMESTAMP, updated_at TIMESTAMP, expires_at TIMESTAMP,
    access_count INTEGER DEFAULT 0, last_accessed TIMESTAMP)
"""
_INSERT = """
INSERT INTO memory_entries (memory_key, category, swarm_id, agent_name, data_hash, compressed_data,
    metadata, created_at, updated_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, '{}', ?, ?, ?)
"""


def write_swarm(root: Path, texts: dict[str, Any], now: float) -> int:
    """Returns how many entries there are."""
    path = root / ".swarm" / "memory.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    rows = [_row(*entry) for entry in _entries(texts, now)]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(_TABLE)
        connection.executemany(_INSERT, rows)
    return len(rows)


def _entries(texts: dict[str, Any], now: float) -> Iterator[Entry]:
    """Key, category, agent, value, when it was written, and for how long."""
    place = f"swarm-{SWARM}"
    for n, agent in enumerate(texts["agents"]):
        name, at = agent["name"], now - (0.2 + n) * DAY
        state = {"status": "active" if n % 2 else "idle", "service": agent["service"]}
        yield f"{place}/agent-{name}/state", place, name, state, at, 7 * DAY
        choice = {"decision": texts["goals"][n], "agent_name": name, "timestamp": _iso(at)}
        yield f"{place}/agent-{name}/decisions/plan-{n}", place, name, choice, at, 14 * DAY
    for n, (area, topic, text) in enumerate(texts["knowledge"][:8]):
        at = now - (1 + n * 3) * DAY
        known = {"text": text, "shared_by": texts["agents"][n % len(texts["agents"])]["name"]}
        yield f"{place}/global/knowledge/{area}-{topic}", place, None, known, at, 90 * DAY
    kinds = ("success", "success", "failure", "partial_success")
    for n, title in enumerate(texts["tasks"][:12]):
        at = now - (0.5 + n * 2) * DAY
        outcome = {
            "outcome_id": f"o{n}", "swarm_id": SWARM, "task_type": title.split()[0].lower(),
            "agents_involved": [texts["agents"][n % len(texts["agents"])]["name"]],
            "outcome_type": kinds[n % len(kinds)], "success_score": round(1 - (n % 4) * 0.3, 1),
            "execution_time": 20.0 + 7 * n, "resource_usage": {"cpu": 0.5}, "context": {},
            "timestamp": _iso(at), "metadata": {},
        }  # fmt: skip
        yield f"neural/outcomes/o{n}", "neural", None, outcome, at, 365 * DAY
    for what in ("locks", "messages"):
        yield f"{place}/coordination/{what}", place, None, {what: []}, now, 30 * DAY


def _row(key: str, category: str, agent: str | None, value: Any, at: float, life: float) -> Any:
    text = json.dumps(value).encode()
    written = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    packed = gzip.compress(text, mtime=0)
    swarm = None if category == "neural" else SWARM
    return (key, category, swarm, agent, sha256(text).hexdigest(), packed, written, written,
            _iso(at + life))  # fmt: skip


def _iso(at: float) -> str:
    """As a machine in UTC wrote it, without saying so."""
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat()
