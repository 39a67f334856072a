"""Statements of metrics: counts with a bound, samples, the history of figures."""

from __future__ import annotations

from typing import Final

STATEMENTS: Final[dict[str, str]] = {
    # counts: each ends at a bound, or grows with something small
    "count_expired": "SELECT count(*) FROM (SELECT 1 FROM sibling "
    "WHERE exp IS NOT NULL AND exp > ? AND exp <= ? LIMIT ?) AS found",
    "count_ghosts": "SELECT count(*) FROM (SELECT 1 FROM ghost LIMIT ?) AS found",
    "count_leases": "SELECT count(*) FROM lease_grant WHERE epoch = ? AND expires_ms > ?",
    "count_tickets": "SELECT count(*) FROM lease_ticket WHERE until_ms > ?",
    "standing_alerts": "SELECT level, count(*) FROM alert WHERE ended_ms IS NULL "
    "GROUP BY level ORDER BY level",
    # a sample of rows; without the values, whose lengths are enough
    # two questions: SQLite answers each from an end of the index, and both at once by a scan
    "seq_ends": "SELECT (SELECT min(seq) FROM sibling), (SELECT max(seq) FROM sibling)",
    "sample_rows": "SELECT kind, size, flags, body, length(value) FROM sibling "
    "WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?",
    # the history of figures
    "metric_series": "SELECT DISTINCT series FROM metric ORDER BY series",
    "metric_points": "SELECT series, at_ms FROM metric WHERE at_ms < ? ORDER BY series, at_ms",
    "metric_of": "SELECT at_ms, value, crc FROM metric WHERE series = ? AND at_ms >= ? "
    "ORDER BY at_ms",
    "newest_metric": "SELECT at_ms, value, crc FROM metric WHERE series = ? AND at_ms <= ? "
    "ORDER BY at_ms DESC LIMIT 1",
    "drop_metric": "DELETE FROM metric WHERE series = ? AND at_ms = ?",
    "drop_series": "DELETE FROM metric WHERE series = ?",
    # latencies
    "latencies_since": "SELECT op, tier, bucket, sum(count) FROM latency "
    "WHERE hour >= ? AND hour <= ? GROUP BY op, tier, bucket ORDER BY op, tier, bucket",
    "drop_latencies": "DELETE FROM latency WHERE hour < ? OR hour > ?",
}
