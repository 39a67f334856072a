"""Statements of pruning: what could go, what went, and what was missed of it."""

from __future__ import annotations

from typing import Final

_GHOST: Final = "namespace, digest, rule, plan, at_ms, reads, read_ms, crc"
_PRUNING: Final = "plan, at_ms, records, size, archive_run, undone_ms, facts, crc"
_PRUNABLE: Final = (
    "SELECT s.ns, s.key, s.field, s.seq, s.exp, s.flags, s.size, s.body, a.count, a.at_ms, "
    "CASE WHEN s.kind {in_texts} AND (s.flags & 15) <> 4 THEN s.value END "
    "FROM sibling s LEFT JOIN access a ON a.ns = s.ns AND a.key = s.key"
)

STATEMENTS: Final[dict[str, str]] = {
    # Values only of the kinds that say something of themselves; 4 is Codec.ARCHIVED.
    "stream_prunable": f"{_PRUNABLE} ORDER BY s.ns, s.key",
    "stream_prunable_of": f"{_PRUNABLE} WHERE s.ns {{in_ints}} ORDER BY s.ns, s.key",
    "ghost_any": "SELECT 1 FROM ghost LIMIT 1",
    "ghost_in": "SELECT 1 FROM ghost WHERE namespace = ? LIMIT 1",
    "ghosts_at": f"SELECT {_GHOST} FROM ghost WHERE namespace = ? AND digest {{in_ints}}",
    "ghost_namespaces": "SELECT DISTINCT namespace FROM ghost ORDER BY namespace",
    "ghosts_missed": f"SELECT {_GHOST} FROM ghost WHERE reads > 0 ORDER BY namespace, digest",
    "ghosts_of_plan": f"SELECT {_GHOST} FROM ghost WHERE plan = ? ORDER BY namespace, digest",
    # a path that ended in another way leaves its ghost behind
    "lay_ghost": "DELETE FROM ghost WHERE digest = ? "
    "AND namespace = (SELECT path FROM namespace WHERE id = ?)",
    "drop_ghosts": "DELETE FROM ghost WHERE namespace = ? AND digest {in_ints}",
    "drop_ghosts_of": "DELETE FROM ghost WHERE namespace = ?",
    "old_ghosts": "SELECT namespace, digest FROM ghost "
    "WHERE (namespace, digest) > (?, ?) AND at_ms < ? ORDER BY namespace, digest LIMIT ?",
    "regrets_in": "SELECT rule, namespace, pruned, missed, reads, crc FROM regret "
    "WHERE namespace {in_texts} ORDER BY rule, namespace",
    "drop_regrets_of": "DELETE FROM regret WHERE namespace = ?",
    "pruning": f"SELECT {_PRUNING} FROM pruning WHERE plan = ?",
    "prunings": f"SELECT {_PRUNING} FROM pruning ORDER BY at_ms DESC, plan DESC LIMIT ?",
    "prunings_since": f"SELECT {_PRUNING} FROM pruning WHERE at_ms >= ? ORDER BY at_ms, plan",
    "keys_of": "SELECT DISTINCT key FROM sibling WHERE ns = ? AND key > ? ORDER BY key LIMIT ?",
    "ns_rows": "SELECT name, rows FROM tally WHERE scope = 'ns' AND name {in_texts}",
}
