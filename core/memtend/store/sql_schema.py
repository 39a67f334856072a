"""Statements for a store of any schema: only tables and columns that every revision has."""

from __future__ import annotations

from typing import Final

STATEMENTS: Final[dict[str, str]] = {
    "fingerprint": "SELECT s.seq, p.path, s.key, s.field, q.id, s.n, s.exp, s.hash FROM sibling s "
    "JOIN namespace p ON p.id = s.ns JOIN replica q ON q.no = s.r ORDER BY s.seq",
}
