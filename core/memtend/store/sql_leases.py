"""Statements of leases: tokens granted, who holds, who waits."""

from __future__ import annotations

from typing import Final

STATEMENTS: Final[dict[str, str]] = {
    "lease": "SELECT holder, n, epoch, expires_ms FROM lease WHERE resource = ?",
    "acquire": "INSERT INTO lease (resource, holder, n, epoch, expires_ms, crc) "
    "VALUES (?,?,?,?,?,?) ON CONFLICT (resource) DO UPDATE SET holder = excluded.holder, "
    "n = excluded.n, epoch = excluded.epoch, expires_ms = excluded.expires_ms, crc = excluded.crc",
    "stream_lease": "SELECT resource, holder, n, epoch, expires_ms, crc FROM lease "
    "ORDER BY resource",
}
