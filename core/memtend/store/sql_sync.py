"""Statements of replication: peers, what is news to them, what they bring."""

from __future__ import annotations

from typing import Final

_PEER: Final = (
    "id, name, url, seen, at_seq, at_vv, heard_ms, met_ms, retired_ms, accept, crc FROM peer"
)
# As in statement `old`, and the number by which equal values are found.
_HERE: Final = (
    "SELECT seq, n, exp, flags, size, body, key, field, ns, r, hash, "
    "CASE WHEN (flags & 15) = 4 THEN value END, content FROM sibling WHERE ns = ? AND "
)

STATEMENTS: Final[dict[str, str]] = {
    "peers": f"SELECT {_PEER} ORDER BY id",
    "stream_peer": f"SELECT {_PEER} ORDER BY id",
    "save_peer": "INSERT INTO peer "
    "(id, name, url, seen, at_seq, at_vv, heard_ms, met_ms, retired_ms, accept, crc) "
    "VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, "
    "url = excluded.url, seen = excluded.seen, at_seq = excluded.at_seq, at_vv = excluded.at_vv, "
    "heard_ms = excluded.heard_ms, met_ms = excluded.met_ms, retired_ms = excluded.retired_ms, "
    "accept = excluded.accept, crc = excluded.crc",
    "forget_peer": "DELETE FROM peer WHERE id = ?",
    # what is here, where a delta says something: by plain keys, by the fields of one key, in order
    "here_plain": f"{_HERE} field = '' AND key {{in_texts}}",
    "here_fields": f"{_HERE} key = ? AND field {{in_texts}}",
    "here_after": f"{_HERE} (key, field) > (?, ?) ORDER BY key, field, n, r LIMIT ?",
    "here_at": f"{_HERE} key = ? AND field = ?",
    "log_here": "SELECT key, field, r, n FROM log WHERE ns = ? AND key {in_texts}",
    "drop_log": "DELETE FROM log WHERE ns = ? AND key = ? AND field = ? AND r = ? AND seq = ?",
    # rows of one line of history, for one that begins anew
    "of_replica": "SELECT seq FROM sibling WHERE r = ? AND n > ? AND seq > ? ORDER BY seq LIMIT ?",
}
