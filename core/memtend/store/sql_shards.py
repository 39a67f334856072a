"""Statements that look at a part of the namespaces, and at what belongs to none."""

from __future__ import annotations

from typing import Final

_COLUMNS: Final = (
    "s.seq, s.ns, s.key, s.field, s.r, s.n, s.exp, s.flags, s.kind, s.agent, s.writer, s.content, "
    "s.size, s.body, s.value, s.hash"
)

STATEMENTS: Final[dict[str, str]] = {
    "ns_totals": "SELECT name, rows FROM tally WHERE scope = 'ns' ORDER BY name",
    "stream_of": f"SELECT {_COLUMNS} FROM sibling s WHERE s.ns {{in_ints}}",
    "stream_of_none": f"SELECT {_COLUMNS} FROM sibling s "
    "WHERE NOT EXISTS (SELECT 1 FROM namespace p WHERE p.id = s.ns)",
}
