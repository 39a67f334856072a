"""Statements of optimization: values that could be smaller, and what is left over."""

from __future__ import annotations

from typing import Final

# 4 is Codec.ARCHIVED, 3 is Codec.ZSTD_DICT.
_HEAVY: Final = "(flags & 15) <> 4 AND ((flags & 15) <> 0 OR size >= ?)"

_GONE: Final = {
    "tag": "NOT EXISTS (SELECT 1 FROM sibling s WHERE s.seq = tag.seq)",
    "access": "NOT EXISTS (SELECT 1 FROM sibling s WHERE s.ns = access.ns AND s.key = access.key)",
    "tally": "rows = 0 AND size = 0 AND scope IN ('agent', 'session')",
}

STATEMENTS: Final[dict[str, str]] = {
    "stream_heavy": f"SELECT seq, ns, key, kind, flags, size FROM sibling WHERE {_HEAVY} "
    "ORDER BY seq",
    "heavy_sizes": f"SELECT seq, size FROM sibling WHERE {_HEAVY} AND seq > ? AND seq <= ? "
    "AND kind {in_texts} ORDER BY seq LIMIT ?",
    # what is left over, and its end: looked at again in the transaction that drops it
    "left_tags": f"SELECT tag, seq FROM tag WHERE {_GONE['tag']} LIMIT ?",
    "drop_left_tag": f"DELETE FROM tag WHERE tag = ? AND seq = ? AND {_GONE['tag']}",
    "left_reads": f"SELECT ns, key FROM access WHERE {_GONE['access']} LIMIT ?",
    "drop_left_read": f"DELETE FROM access WHERE ns = ? AND key = ? AND {_GONE['access']}",
    "left_totals": f"SELECT scope, name FROM tally WHERE {_GONE['tally']} LIMIT ?",
    "drop_left_total": f"DELETE FROM tally WHERE scope = ? AND name = ? AND {_GONE['tally']}",
    # dictionaries: all but the newest of each kind, with when the next one came
    "old_dictionaries": "SELECT d.id, min(n.made_ms) FROM dictionary d JOIN dictionary n "
    "ON n.kind = d.kind AND n.id > d.id GROUP BY d.id ORDER BY d.id",
    "dictionary_ages": "SELECT kind, max(made_ms) FROM dictionary GROUP BY kind",
    "stream_dictionary_use": "SELECT body FROM sibling WHERE (flags & 15) = 3 AND seq > ?",
    "drop_dictionary": "DELETE FROM dictionary WHERE id = ?",
    "stream_rows": "SELECT seq, ns, key, field, exp, flags, size, body, value, hash FROM sibling "
    "ORDER BY seq",
}
