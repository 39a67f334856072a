"""Statements of imports: what is at many paths, and how it ended where nothing is."""

from __future__ import annotations

from typing import Final

STATEMENTS: Final[dict[str, str]] = {
    "held_many": "SELECT key, exp, flags, body, content FROM sibling "
    "WHERE ns = ? AND key {in_texts} AND field = ''",
    "held_fields": "SELECT field, exp, flags, body, content FROM sibling "
    "WHERE ns = ? AND key = ? AND field {in_texts}",
    "ended_fields": "SELECT field, why, at_ms FROM log "
    "WHERE ns = ? AND key = ? AND field {in_texts} ORDER BY seq",
    "ended_many": "SELECT key, why, at_ms FROM log "
    "WHERE ns = ? AND key {in_texts} AND field = '' ORDER BY seq",
}
