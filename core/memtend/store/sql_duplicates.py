"""Statements that find records that say the same."""

from __future__ import annotations

from typing import Final

# Of plain values (type 0) that lie in the store (4 is Codec.ARCHIVED) and not in quarantine (256).
_PLAIN: Final = "field = '' AND (flags & 15) <> 4 AND (flags & 496) = 0 AND size >= ?"

STATEMENTS: Final[dict[str, str]] = {
    # In order of what they say, and only what more than one says. The values are not touched: they
    # lie behind these columns in a row.
    "stream_contents": "SELECT content, ns, kind, agent, writer, seq, size FROM sibling "
    f"WHERE {_PLAIN} AND content IN (SELECT content FROM sibling WHERE {_PLAIN} "
    "GROUP BY content HAVING count(*) > 1) ORDER BY content, ns, kind, agent, writer, seq",
    "stream_contents_of": "SELECT content, ns, kind, agent, writer, seq, size FROM sibling "
    f"WHERE ns {{in_ints}} AND {_PLAIN} AND content IN (SELECT content FROM sibling "
    f"WHERE ns {{in_ints}} AND {_PLAIN} GROUP BY content HAVING count(*) > 1) "
    "ORDER BY content, ns, kind, agent, writer, seq",
    "stream_told": "SELECT ns, kind, agent, writer, seq, size FROM sibling "
    f"WHERE {_PLAIN} ORDER BY ns, kind, agent, writer, seq",
    "stream_told_of": "SELECT ns, kind, agent, writer, seq, size FROM sibling "
    f"WHERE ns {{in_ints}} AND {_PLAIN} ORDER BY ns, kind, agent, writer, seq",
    # how many of the first so many records lie in each namespace
    "told_first": "SELECT ns, count(*) FROM (SELECT ns FROM sibling "
    f"WHERE {_PLAIN} ORDER BY ns LIMIT ?) AS found GROUP BY ns ORDER BY ns",
    "places_of": "SELECT s.seq, p.path, s.key, s.size FROM sibling s "
    "JOIN namespace p ON p.id = s.ns WHERE s.seq {in_ints}",
    "beside_in": "SELECT key FROM sibling WHERE ns = ? AND key {in_texts} "
    "GROUP BY key HAVING count(*) > 1",
}
