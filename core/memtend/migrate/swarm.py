"""Importer for the older swarm program's `.swarm/memory.db`.

Each entry is gzip'd JSON with a hash of its text; one whose hash does not fit is quarantined.
`created_at` and `updated_at` are UTC, `expires_at` is local time without a zone. Entries go where
`AgentMemory` reads them (`swarm_keys`), so agents go on where they stopped; outcomes go where
learning finds them. Lock lists and queues of polled messages are told and not imported: a lock that
nobody holds would be waited for, and who has polled a message is not known.

Rows of two other tables become records of their own (`swarm_tables`). Whatever a row says besides
its value is kept in `labels.extra`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any, Final

from memtend.errors import InvalidValue, LimitExceeded
from memtend.migrate.foreign_db import Damaged, ForeignDb, Row, opened
from memtend.migrate.items import (
    Found,
    ImportItem,
    Lineage,
    PassedOver,
    printable,
    quarantined,
    sealed,
)
from memtend.migrate.reader import Options
from memtend.migrate.swarm_keys import agent_of, home_of, kind_of, stated_at
from memtend.migrate.swarm_passing import held_for_a_moment
from memtend.migrate.swarm_place import (
    TABLE,
    damaged_rows,
    has_columns,
    located,
    other_tables,
    others,
    row_bytes,
    text_of,
    unreadable_file,
    wanted_columns,
)
from memtend.migrate.swarm_rows import metadata_of, packed_value, time_of
from memtend.migrate.swarm_tables import (
    LEARNED,
    OPERATIONS,
    STATES,
    operations,
    pattern_item,
    state_item,
)
from memtend.model.record import Labels
from memtend.model.timestamps import NotATime
from memtend.model.unreadable import Unreadable
from memtend.upcast.labelling import counts_of_rate, first, label, part, share, tags, whole

KIND: Final = "swarm"
_COLUMNS: Final = frozenset(("memory_key", "data_hash", "compressed_data"))
_READ: Final = _COLUMNS | {"id", "metadata", "created_at", "updated_at", "expires_at",
                           "access_count", "last_accessed"}  # fmt: skip
_Make = Callable[[dict[str, Any], tzinfo, ForeignDb], ImportItem | str]


def looks_like(root: Path) -> bool:
    return has_columns(root, _COLUMNS, damaged=True)


def read(root: Path, options: Options) -> Iterator[Found]:
    """Entries first, then the other tables, then what lies beside the database."""
    path, name = located(root, KIND)
    try:
        with opened(path) as database:
            if database.damage is not None:
                yield unreadable_file(path, name, f"it is damaged: {database.damage}")
            wanted_columns(database, _COLUMNS, KIND)
            yield from _items(database, name, TABLE, options.zone)
            tables = database.tables()
            for table in (STATES, LEARNED):
                if tables.get(table) == "table":
                    yield from _items(database, name, table, options.zone)
            if tables.get(OPERATIONS) == "table":
                yield operations(database, name)
            yield from other_tables(database, name, (TABLE, STATES, LEARNED, OPERATIONS))
    except Unreadable as error:
        yield unreadable_file(path, name, str(error))
    yield from others(path, root)


def _items(database: ForeignDb, name: str, table: str, zone: tzinfo) -> Iterator[Found]:
    """Each row as one item. Neither a row nor a table that cannot be read stops others."""
    try:
        for row in database.rows(table):
            if isinstance(row, Damaged):
                yield damaged_rows(row, name, table)
            else:
                yield _found(row, name, table, zone, database)
    except Unreadable as error:
        yield quarantined(name, str(error), b"", table)


def _found(row: Row, name: str, table: str, zone: tzinfo, database: ForeignDb) -> Found:
    id_column, make = _TABLES[table]
    try:
        made = make(row.values, zone, database)
        if isinstance(made, str):
            return PassedOver(path=printable(name), reason=printable(made))
        return sealed(made._replace(source=made.source._replace(path=name)), table)
    except (Unreadable, NotATime, InvalidValue, LimitExceeded) as error:
        known = row.values.get(id_column)
        item_id = known if isinstance(known, str) else f"{table} row {row.rowid}"
        return quarantined(name, str(error), row_bytes(row.values), item_id)


def _entry(values: dict[str, Any], zone: tzinfo, _database: ForeignDb) -> ImportItem | str:
    """One entry, or in words what is not taken over."""
    key = text_of(values, "memory_key")
    if key is None:
        raise Unreadable("it has no memory_key")
    value = packed_value(values.get("compressed_data"), values.get("data_hash"))
    passing = held_for_a_moment(key, value)
    if passing is not None:
        return passing
    place = home_of(key)
    created, updated, accessed, expires = (
        time_of(values, column, zone)
        for column in ("created_at", "updated_at", "last_accessed", "expires_at")
    )
    extra: dict[str, Any] = {"original": _original(values)}
    metadata = metadata_of(values)
    if metadata:
        extra["metadata"] = metadata
    said_ms = stated_at(value, zone)
    if said_ms is not None and zone is not UTC:
        value = value | {"at_ms": said_ms}
        extra["added"] = ["at_ms"]
    kind = kind_of(place)
    counts = counts_of_rate(part(value, "success_rate"), part(value, "usage_count"))
    moments = (created, updated, accessed, expires)
    return ImportItem(
        namespace=place.namespace,
        key=place.key,
        value=value,
        labels=Labels(
            kind=kind,
            agent=first(label(values.get("agent_name")), label(agent_of(place))),
            session=first(label(values.get("session_id")), label(part(value, "session"))),
            tags=tags(part(metadata, "tags")),
            confidence=share(first(part(value, "confidence_score"), part(value, "confidence"))),
            success_count=counts.success,
            failure_count=counts.failure,
            extra=extra,
        ),
        created_ms=created.ms if created else None,
        updated_ms=updated.ms if updated else None,
        accessed_ms=accessed.ms if accessed else None,
        expires_at_ms=expires.ms if expires else None,
        access_count=whole(values.get("access_count")) or 0,
        naive_times=sum(moment.naive for moment in moments if moment) + (said_ms is not None),
        without_metrics=kind == "pattern" and counts.success is None,
        source=Lineage(kind=KIND, path="", id=key, format="1"),
    )


def _original(values: dict[str, Any]) -> dict[str, Any]:
    """The columns that are not read: category, swarm, agent, session, and what nobody knows."""
    for name, value in values.items():
        if name not in _READ and isinstance(value, bytes):
            raise Unreadable(f"its {name} is no text")
    return {k: v for k, v in values.items() if k not in _READ and v is not None}


_TABLES: Final[dict[str, tuple[str, _Make]]] = {
    TABLE: ("memory_key", _entry),
    STATES: ("id", state_item),
    LEARNED: ("pattern_id", pattern_item),
}
"""What names a row of a table, and what makes an item of it."""
