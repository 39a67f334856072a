"""Statements of migrations: their history, and the rows whose values they move forward."""

from __future__ import annotations

from typing import Final

_COLUMNS: Final = (
    "run, what, family, found, wanted, plan, manifest, state, facts, began_ms, ended_ms, crc"
)

STATEMENTS: Final[dict[str, str]] = {
    "migration": f"SELECT {_COLUMNS} FROM migration WHERE run = ?",
    "migrations": f"SELECT {_COLUMNS} FROM migration ORDER BY began_ms, run",
    # rows by kind in the order of writing; sizes first, so that a page has a bound in bytes
    "aged_sizes": "SELECT seq, size FROM sibling WHERE seq > ? AND seq <= ? AND kind {in_texts} "
    "ORDER BY seq LIMIT ?",
    "aged": "SELECT seq, ns, key, field, exp, flags, kind, agent, writer, content, size, body, "
    "value, hash FROM sibling WHERE seq > ? AND seq <= ? AND kind {in_texts} ORDER BY seq",
    "take_aged": "DELETE FROM sibling WHERE seq {in_ints} RETURNING seq, hash",
    "row_hashes": "SELECT seq, hash FROM sibling WHERE seq <= ? ORDER BY seq",
    "still_there": "SELECT seq FROM sibling WHERE seq {in_ints}",
    "rows_since": "SELECT count(*) FROM sibling WHERE seq > ?",
    "stream_migration": f"SELECT {_COLUMNS} FROM migration ORDER BY run",
    "save_migration": f"INSERT INTO migration ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) "
    "ON CONFLICT (run) DO UPDATE SET found = excluded.found, wanted = excluded.wanted, "
    "plan = excluded.plan, manifest = excluded.manifest, state = excluded.state, "
    "facts = excluded.facts, ended_ms = excluded.ended_ms, crc = excluded.crc",
}
