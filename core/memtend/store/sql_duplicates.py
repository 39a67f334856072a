"""Statements that find records that say the same."""

from __future__ import annotations

from typing import Final

STATEMENTS: Final[dict[str, str]] = {
    # In order of what they say. 4 is Codec.ARCHIVED, 256 the flag of quarantine; of the types, 0 is
    # a plain value. The values are not touched: they lie behind these columns in a row.
    "stream_contents": "SELECT content, ns, kind, agent, writer, seq, size FROM sibling "
    "WHERE field = '' AND (flags & 15) <> 4 AND (flags & 496) = 0 AND size >= ? "
    "ORDER BY content, ns, kind, agent, writer, seq",
    "stream_told": "SELECT ns, kind, agent, writer, seq, size FROM sibling "
    "WHERE field = '' AND (flags & 15) <> 4 AND (flags & 496) = 0 AND size >= ? "
    "ORDER BY ns, kind, agent, writer, seq",
    "places_of": "SELECT s.seq, p.path, s.key, s.size FROM sibling s "
    "JOIN namespace p ON p.id = s.ns WHERE s.seq {in_ints}",
    "beside_in": "SELECT key FROM sibling WHERE ns = ? AND key {in_texts} "
    "GROUP BY key HAVING count(*) > 1",
}
