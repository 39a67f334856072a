"""Statements of replication: peers, what is news to them, what they bring."""

from __future__ import annotations

from typing import Final

STATEMENTS: Final[dict[str, str]] = {
    "peers": "SELECT id, name, url, seen, at_seq, at_vv, heard_ms, met_ms, retired_ms, accept, crc "
    "FROM peer ORDER BY id",
    "save_peer": "INSERT INTO peer "
    "(id, name, url, seen, at_seq, at_vv, heard_ms, met_ms, retired_ms, accept, crc) "
    "VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, "
    "url = excluded.url, seen = excluded.seen, at_seq = excluded.at_seq, at_vv = excluded.at_vv, "
    "heard_ms = excluded.heard_ms, met_ms = excluded.met_ms, retired_ms = excluded.retired_ms, "
    "accept = excluded.accept, crc = excluded.crc",
    "forget_peer": "DELETE FROM peer WHERE id = ?",
    "stream_peer": "SELECT id, name, url, seen, at_seq, at_vv, heard_ms, met_ms, retired_ms, "
    "accept, crc FROM peer ORDER BY id",
}
