"""Statements about keys with several concurrent values. Counters have several by nature."""

from __future__ import annotations

from typing import Final

STATEMENTS: Final[dict[str, str]] = {
    "conflicts_since": "SELECT COUNT(*) FROM (SELECT DISTINCT s.ns, s.key, s.field "
    "FROM sibling s JOIN sibling o ON o.ns = s.ns AND o.key = s.key AND o.field = s.field "
    "AND o.seq <> s.seq WHERE s.seq > ? AND ((s.flags >> 4) & 15) <> 1) AS contested",
}
