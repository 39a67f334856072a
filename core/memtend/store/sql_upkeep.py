"""Statements of upkeep: each of its small tables, whole, and how a row of it is kept."""

from __future__ import annotations

from typing import Final

TABLES: Final[dict[str, tuple[int, tuple[str, ...]]]] = {
    "alert": (
        1, ("id", "rule", "scope", "level", "state", "facts", "first_ms", "last_ms", "ended_ms"),
    ),
    "ghost": (2, ("namespace", "digest", "rule", "plan", "at_ms", "reads", "read_ms")),
    "metric": (2, ("series", "at_ms", "value")),
    "pruning": (
        1, ("plan", "at_ms", "records", "size", "archive_run", "undone_ms", "facts"),
    ),
    "regret": (2, ("rule", "namespace", "pruned", "missed", "reads")),
    "silence": (1, ("id", "pattern", "until_ms", "facts")),
}  # fmt: skip
"""How many columns are the key, and all columns but the checksum."""


def stream_table(table: str, keys: int, columns: tuple[str, ...]) -> str:
    """All rows in the order of the key."""
    return f"SELECT {', '.join(columns)}, crc FROM {table} ORDER BY {', '.join(columns[:keys])}"


def save_row(table: str, keys: int, columns: tuple[str, ...]) -> str:
    """Puts a row in the place of the one with the same key."""
    named = (*columns, "crc")
    new = ", ".join(f"{name} = excluded.{name}" for name in named[keys:])
    return (
        f"INSERT INTO {table} ({', '.join(named)}) VALUES ({', '.join('?' * len(named))}) "
        f"ON CONFLICT ({', '.join(columns[:keys])}) DO UPDATE SET {new}"
    )


STATEMENTS: Final[dict[str, str]] = {
    **{f"stream_{table}": stream_table(table, *TABLES[table]) for table in TABLES},
    **{f"save_{table}": save_row(table, *TABLES[table]) for table in TABLES},
    "stream_latency": "SELECT hour, op, tier, bucket, count FROM latency "
    "ORDER BY hour, op, tier, bucket",
    "save_latency": "INSERT INTO latency (hour, op, tier, bucket, count) VALUES (?,?,?,?,?) "
    "ON CONFLICT (hour, op, tier, bucket) DO UPDATE SET count = latency.count + excluded.count",
}
