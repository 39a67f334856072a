"""Statements of a look at a store's health: each one bounded, whatever the store has grown to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

STATEMENTS: Final[dict[str, str]] = {
    # figures
    "expired_count": "SELECT count(*) FROM (SELECT 1 FROM sibling "
    "WHERE exp IS NOT NULL AND exp <= ? LIMIT ?) AS due",
    "totals_beside": "SELECT m.rows, m.size, (SELECT coalesce(sum(rows), 0) FROM tally "
    "WHERE scope = 'ns'), (SELECT coalesce(sum(size), 0) FROM tally WHERE scope = 'ns') "
    "FROM meta m WHERE m.id = 1",
    # one can be above the whole only where it is wrong; 'cold before' counts what is elsewhere
    "totals_beyond": "SELECT tally.scope, tally.name, tally.rows, tally.size FROM tally, meta "
    "WHERE meta.id = 1 AND (tally.rows < 0 OR tally.size < 0 OR (tally.scope <> 'tier' "
    "AND (tally.rows > meta.rows OR tally.size > meta.size))) "
    "ORDER BY tally.scope, tally.name LIMIT ?",
    "bounds": "SELECT (SELECT count(*) FROM namespace), (SELECT count(*) FROM replica)",
    "log_oldest": "SELECT at_ms FROM log ORDER BY seq LIMIT 1",
    "log_count": "SELECT count(*) FROM (SELECT 1 FROM log LIMIT ?) AS some_of_it",
    "lease_queue": "SELECT resource, count(*) FROM lease_ticket WHERE until_ms > ? "
    "GROUP BY resource ORDER BY count(*) DESC, resource LIMIT 1",
    "alerts_standing": "SELECT level, count(*) FROM alert WHERE ended_ms IS NULL "
    "GROUP BY level ORDER BY level",
    "dictionary_ids": "SELECT id FROM dictionary",
    "contested_rows": "SELECT coalesce(sum(t.rows), 0) FROM namespace p "
    "JOIN tally t ON t.scope = 'ns' AND t.name = p.path WHERE p.contested = 1",
    # 0 and 3 are RowKind.PLAIN and RowKind.FIELD: parts of a counter and adds of one element agree
    "crowds": "SELECT s.ns, s.key, s.field, count(*) FROM sibling s "
    "JOIN sibling o ON o.ns = s.ns AND o.key = s.key AND o.field = s.field "
    "WHERE s.seq > ? AND s.seq <= ? AND ((s.flags >> 4) & 15) IN (0, 3) "
    "GROUP BY s.ns, s.key, s.field, s.seq HAVING count(*) > 1",
    "row_count": "SELECT m.rows, (SELECT count(*) FROM sibling) FROM meta m WHERE m.id = 1",
    # samples
    "sample_after": "SELECT seq, size FROM sibling WHERE seq > ? ORDER BY seq LIMIT ?",
    "sample_spread": "SELECT DISTINCT (SELECT s.seq FROM sibling s WHERE s.seq >= one.value "
    "ORDER BY s.seq LIMIT 1) FROM {ints}",
    # 4 is Codec.ARCHIVED
    "stubs_among": "SELECT seq, value FROM sibling WHERE seq {in_ints} AND (flags & 15) = 4 "
    "ORDER BY seq",
    "sizes_of": "SELECT seq, size FROM sibling WHERE seq {in_ints} ORDER BY seq",
    "paths_of": "SELECT id, path FROM namespace WHERE id {in_ints}",
    "seq_at": "SELECT seq FROM sibling WHERE ns = ? AND key = ? AND field = ? AND n = ? AND r = ?",
    # asked row by row, or a planner reads everything that has the tag
    "tag_on": "SELECT one.value, (SELECT count(*) FROM tag t WHERE t.tag = ? "
    "AND t.seq = one.value) FROM {ints}",
    "usage_of": "SELECT s.ns, s.key, s.field, s.seq, s.exp, s.flags, s.size, s.body, a.count, "
    "a.at_ms FROM sibling s LEFT JOIN access a ON a.ns = s.ns AND a.key = s.key "
    "WHERE s.seq {in_ints} ORDER BY s.seq",
}

PEEKED: Final = (
    "access", "access_grant", "access_log", "alert", "catalog", "dictionary", "erasure", "ghost",
    "inbox", "lane", "lease", "lease_accepted", "lease_grant", "lease_ticket", "log_rows", "member",
    "message", "metric", "migration", "model", "op", "peer", "pruning", "regret", "replica",
    "setting", "silence", "trial",
)  # fmt: skip
"""Small tables whose statements read in the order of an index, so that their beginning is cheap."""


def peeks(statements: Mapping[str, str]) -> dict[str, str]:
    """The beginning of each small table, from the statements that read them whole."""
    return {f"peek_{table}": statements[f"stream_{table}"] + " LIMIT ?" for table in PEEKED}
