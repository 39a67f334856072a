"""Statements that find contested keys. The grouping reads an index alone; only keys that have
several rows are looked at in the table."""

from __future__ import annotations

from typing import Final

# 0 and 3 are RowKind.PLAIN and RowKind.FIELD: parts of a counter and adds of one element agree.
STATEMENTS: Final[dict[str, str]] = {
    "crowded": "SELECT c.key, c.field FROM (SELECT key, field FROM sibling "
    "WHERE ns = ? AND (key, field) > (?, ?) GROUP BY key, field HAVING count(*) > 1) AS c "
    "WHERE EXISTS (SELECT 1 FROM sibling s WHERE s.ns = ? AND s.key = c.key "
    "AND s.field = c.field AND ((s.flags >> 4) & 15) IN (0, 3)) ORDER BY c.key, c.field LIMIT ?",
    "strays": "SELECT DISTINCT key, field FROM sibling WHERE ns = ? AND (key, field) > (?, ?) "
    "AND ((flags >> 4) & 15) <> ? ORDER BY key, field LIMIT ?",
    "get_field": "SELECT flags, exp, body, value, hash FROM sibling "
    "WHERE ns = ? AND key = ? AND field = ?",
}
