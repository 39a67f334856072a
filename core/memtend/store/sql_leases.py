"""Statements of leases: tokens granted, who holds, who waits.

`lease_now` is the database server's own clock, NULL where there is no server.
"""

from __future__ import annotations

from typing import Final

_GRANT: Final = "resource, n, epoch, holder, mode, expires_ms, request, crc"
_TICKET: Final = "id, number, resource, mode, holder, until_ms, crc"

STATEMENTS: Final[dict[str, str]] = {
    "lease_now": "SELECT {server_ms}",
    # tokens
    "lease": "SELECT resource, n, guard, crc FROM lease WHERE resource = ?",
    "save_lease": "INSERT INTO lease (resource, n, guard, crc) VALUES (?,?,?,?) "
    "ON CONFLICT (resource) DO UPDATE SET n = excluded.n, guard = excluded.guard, "
    "crc = excluded.crc",
    "lease_accepted": "SELECT resource, epoch, n, crc FROM lease_accepted WHERE resource = ?",
    "save_lease_accepted": "INSERT INTO lease_accepted (resource, epoch, n, crc) VALUES (?,?,?,?) "
    "ON CONFLICT (resource) DO UPDATE SET epoch = excluded.epoch, n = excluded.n, "
    "crc = excluded.crc",
    # who holds
    "lease_grants": f"SELECT {_GRANT} FROM lease_grant WHERE resource = ? ORDER BY n",
    "lease_grant": f"SELECT {_GRANT} FROM lease_grant WHERE resource = ? AND n = ?",
    "save_lease_grant": f"INSERT INTO lease_grant ({_GRANT}) VALUES (?,?,?,?,?,?,?,?) "
    "ON CONFLICT (resource, n) DO UPDATE SET expires_ms = excluded.expires_ms, crc = excluded.crc",
    "end_lease": "DELETE FROM lease_grant WHERE resource = ? AND n = ? AND epoch = ? "
    "AND holder = ? RETURNING expires_ms",
    "end_answer": "DELETE FROM lease_grant WHERE resource = ? AND request = ?",
    "end_late_leases": "DELETE FROM lease_grant WHERE resource = ? AND expires_ms <= ?",
    "end_leases": "DELETE FROM lease_grant WHERE resource = ?",
    "void_leases": "DELETE FROM lease_grant",
    # who waits
    "lease_tickets": f"SELECT {_TICKET} FROM lease_ticket WHERE resource = ? ORDER BY number",
    "next_lease_ticket": "SELECT coalesce(max(number), 0) + 1 FROM lease_ticket",
    "save_lease_ticket": f"INSERT INTO lease_ticket ({_TICKET}) VALUES (?,?,?,?,?,?,?) "
    "ON CONFLICT (id) DO UPDATE SET until_ms = excluded.until_ms, crc = excluded.crc",
    "drop_lease_ticket": "DELETE FROM lease_ticket WHERE id = ?",
    "drop_late_tickets": "DELETE FROM lease_ticket WHERE resource = ? AND until_ms <= ? "
    "AND id <> ?",
    "void_tickets": "DELETE FROM lease_ticket",
    # whole tables
    "stream_lease": "SELECT resource, n, guard, crc FROM lease ORDER BY resource",
    "stream_lease_accepted": "SELECT resource, epoch, n, crc FROM lease_accepted ORDER BY resource",
    "stream_lease_grant": f"SELECT {_GRANT} FROM lease_grant ORDER BY resource, n",
    "stream_lease_ticket": f"SELECT {_TICKET} FROM lease_ticket ORDER BY number",
}
