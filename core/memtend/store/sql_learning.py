"""Statements of learning: the sample of accesses, models, trials of times to live."""

from __future__ import annotations

from typing import Final

from memtend.store.sql_upkeep import save_row, stream_table

TABLES: Final[dict[str, tuple[int, tuple[str, ...]]]] = {
    "access_log": (4, ("digest", "ns", "at_ms", "what", "size", "halvings")),
    "model": (
        1, ("id", "scenario", "kind", "status", "made_ms", "promoted_ms", "parent", "program",
            "seed", "rows", "first_ms", "last_ms", "files", "why", "facts"),
    ),
    "trial": (1, ("id", "namespace", "state", "facts", "began_ms", "ended_ms")),
}  # fmt: skip
"""How many columns are the key, and all columns but the checksum."""

SAMPLE: Final = "access_log"
"""The setting that says which keys are sampled."""
_MODEL: Final = ", ".join((*TABLES["model"][1], "crc"))
_TRIAL: Final = ", ".join((*TABLES["trial"][1], "crc"))

STATEMENTS: Final[dict[str, str]] = {
    **{f"stream_{table}": stream_table(table, *TABLES[table]) for table in TABLES},
    **{f"save_{table}": save_row(table, *TABLES[table]) for table in TABLES},
    # the sample of accesses
    "count_accesses": "SELECT count(*) FROM access_log",
    "accesses_since": "SELECT digest, ns, at_ms, what, size, halvings, crc FROM access_log "
    "WHERE at_ms >= ?",
    "accesses_seen": "SELECT DISTINCT digest FROM access_log WHERE ns = ? AND digest {in_ints}",
    "sizes_at": "SELECT key, sum(size), max(exp) FROM sibling WHERE ns = ? AND key {in_texts} "
    "GROUP BY key",
    "endings_of": "SELECT key, why FROM log WHERE ns = ? AND key {in_texts} AND field = '' "
    "ORDER BY seq",
    "drop_accesses_from": "DELETE FROM access_log WHERE digest >= ?",
    "drop_accesses_beyond": "DELETE FROM access_log WHERE at_ms < ? OR at_ms > ?",
    "drop_accesses_of": "DELETE FROM access_log WHERE digest {in_ints} AND ns = ?",
    "drop_accesses_in": "DELETE FROM access_log WHERE ns = ?",
    "accesses_in": "SELECT count(*) FROM access_log WHERE ns = ?",
    "accesses_at": "SELECT count(*) FROM access_log WHERE digest = ? AND ns = ?",
    # models
    "model_at": f"SELECT {_MODEL} FROM model WHERE id = ?",
    "models": f"SELECT {_MODEL} FROM model ORDER BY made_ms DESC, id LIMIT ?",
    "models_of": f"SELECT {_MODEL} FROM model WHERE scenario = ? ORDER BY made_ms DESC, id LIMIT ?",
    "models_active": f"SELECT {_MODEL} FROM model WHERE status = 'active' ORDER BY scenario",
    "drop_model": "DELETE FROM model WHERE id = ?",
    # trials
    "trials": f"SELECT {_TRIAL} FROM trial "
    "ORDER BY ended_ms IS NOT NULL, began_ms DESC, id LIMIT ?",
    "trials_running": f"SELECT {_TRIAL} FROM trial WHERE ended_ms IS NULL ORDER BY began_ms, id",
    "drop_trial": "DELETE FROM trial WHERE id = ?",
}
