"""Statements of migrations: their history."""

from __future__ import annotations

from typing import Final

_COLUMNS: Final = (
    "run, what, family, found, wanted, plan, manifest, state, facts, began_ms, ended_ms, crc"
)

STATEMENTS: Final[dict[str, str]] = {
    "migration": f"SELECT {_COLUMNS} FROM migration WHERE run = ?",
    "migrations": f"SELECT {_COLUMNS} FROM migration ORDER BY began_ms, run",
    "stream_migration": f"SELECT {_COLUMNS} FROM migration ORDER BY run",
    "save_migration": f"INSERT INTO migration ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) "
    "ON CONFLICT (run) DO UPDATE SET found = excluded.found, wanted = excluded.wanted, "
    "plan = excluded.plan, manifest = excluded.manifest, state = excluded.state, "
    "facts = excluded.facts, ended_ms = excluded.ended_ms, crc = excluded.crc",
}
