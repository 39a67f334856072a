"""Statements of alerts and silences beside those of every table of upkeep."""

from __future__ import annotations

from typing import Final

_ALERT = "id, rule, scope, level, state, facts, first_ms, last_ms, ended_ms, crc"

STATEMENTS: Final[dict[str, str]] = {
    "alerts_since": f"SELECT {_ALERT} FROM alert WHERE ended_ms IS NULL OR ended_ms >= ? "
    "ORDER BY first_ms, id",
    "alerts_ended": f"SELECT {_ALERT} FROM alert WHERE ended_ms IS NOT NULL "
    "ORDER BY ended_ms DESC, id LIMIT ?",
    "forget_alerts": "DELETE FROM alert WHERE ended_ms < ?",
    "alerts_beyond": "SELECT ended_ms FROM alert WHERE ended_ms IS NOT NULL "
    "ORDER BY ended_ms DESC LIMIT 1 OFFSET ?",
    "alert_stands": "SELECT 1 FROM alert WHERE rule = ? AND ended_ms IS NULL LIMIT 1",
    "forget_alert": "DELETE FROM alert WHERE id = ?",
    "forget_silence": "DELETE FROM silence WHERE id = ?",
    "forget_silences": "DELETE FROM silence WHERE until_ms <= ?",
}
