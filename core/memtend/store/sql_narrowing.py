"""Statements that find what one agent has without a look at what others have."""

from __future__ import annotations

from typing import Final

# The entry of the index, and beside it the row that it points to.
_ENTRIES: Final = (
    "SELECT i.key, i.seq, s.ns, s.key, s.field, s.flags, s.exp, s.body, s.value, s.hash "
    "FROM sibling i LEFT JOIN sibling s ON s.seq = i.seq WHERE i.agent = ? AND i.ns = ? "
)

STATEMENTS: Final[dict[str, str]] = {
    # how many entries in each namespace, in the order of the index, and how many rows there are
    "agent_places": "SELECT ns, count(*) FROM sibling WHERE agent = ? GROUP BY ns "
    "UNION ALL SELECT -1, rows FROM tally WHERE scope = 'agent' AND name = ?",
    "of_agent": f"{_ENTRIES} AND (i.key, i.seq) > (?, ?) ORDER BY i.key, i.seq LIMIT ?",
    "of_agent_first": f"{_ENTRIES} ORDER BY i.key, i.seq LIMIT 1",
    "of_agent_last": f"{_ENTRIES} ORDER BY i.key DESC, i.seq DESC LIMIT 1",
}
