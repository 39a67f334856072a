"""Statements of the report. Each reads a bounded number of rows, however large the store is."""

from __future__ import annotations

from typing import Final

STATEMENTS: Final[dict[str, str]] = {
    # two questions: SQLite answers each from an end of the index, and both at once by a scan
    "sizes_between": "SELECT agent, kind, exp, size FROM sibling "
    "WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?",
    # the bound is inside: counting ends there
    "due_between": "SELECT count(*) FROM (SELECT exp FROM sibling "
    "WHERE exp IS NOT NULL AND exp > ? AND exp <= ? ORDER BY exp LIMIT ?) AS due",
}
