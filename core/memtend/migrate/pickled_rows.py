"""The items of `episodic_memory.db`: rows whose content is a pickle, with tags and associations.

An association belongs to the item it starts from: it is kept there, in `labels.extra`, and no
record of its own is made of it. Tags and associations of items that are not there are set aside.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from memtend.limits import PATH_BYTES_MAX
from memtend.limits_foreign import FOREIGN_PAGE_ROWS
from memtend.migrate.files import parse_json, refuse_doubled_keys
from memtend.migrate.foreign_db import Damaged, ForeignDb, NotText, Row, opened
from memtend.migrate.items import Found, ImportItem, quarantined
from memtend.migrate.pickled_items import REFUSED, record_of
from memtend.migrate.pickled_machine import unpickled
from memtend.migrate.pickled_values import Writer
from memtend.migrate.reader import Options
from memtend.migrate.swarm_place import damaged_rows, other_tables, row_bytes, unreadable_file
from memtend.model.timestamps import NotATime
from memtend.model.unreadable import Unreadable
from memtend.upcast.labelling import is_text

PLACE: Final = "episodic"
_ITEMS: Final = "episodic_memory"
_TAGS: Final = "memory_tags"
_LINKS: Final = "memory_associations"
_BESIDE: Final = {_TAGS: "memory_id", _LINKS: "source_id"}
_HANDLED: Final = ("content_data", "agent_id", "metadata")


def read_rows(path: Path, name: str, options: Options) -> Iterator[Found]:
    """Every row as an item or the reason why not; `name` is the file's for people."""
    try:
        with opened(path) as database:
            yield from _read(database, name, options)
    except Unreadable as error:
        yield unreadable_file(path, name, str(error))


def _read(database: ForeignDb, name: str, options: Options) -> Iterator[Found]:
    there = database.tables()
    beside = [table for table in _BESIDE if table in there]
    for row in database.rows(_ITEMS):
        if isinstance(row, Damaged):
            yield damaged_rows(row, name, _ITEMS)
        else:
            yield _read_row(database, row, name, options, beside)
    for table in beside:
        yield from _orphans(database, table, name)
    yield from other_tables(database, name, (_ITEMS, *beside))


def _read_row(
    database: ForeignDb, row: Row, name: str, options: Options, tables: list[str]
) -> Found:
    columns = row.values
    item_id = columns.get("id")
    data = columns.get("content_data")
    try:
        if not is_text(item_id, PATH_BYTES_MAX):
            raise Unreadable(f"row {row.rowid} has no id of 1 to {PATH_BYTES_MAX} characters")
        if not isinstance(data, bytes) or isinstance(data, NotText):
            raise Unreadable("its content is no pickle")
        if not options.allow_pickle:
            raise Unreadable(REFUSED)
        return _record(database, columns, data, name, options, tables)
    except (Unreadable, NotATime) as error:
        known = item_id if isinstance(item_id, str) else f"row {row.rowid}"
        return quarantined(name, str(error), row_bytes(columns), known)


def _record(
    database: ForeignDb,
    columns: dict[str, Any],
    data: bytes,
    name: str,
    options: Options,
    tables: list[str],
) -> ImportItem:
    writer = Writer()
    beside = {
        table: database.matching(table, column, columns["id"])
        for table, column in _BESIDE.items()
        if table in tables
    }
    for table, rows in beside.items():
        if len(rows) >= FOREIGN_PAGE_ROWS:
            raise Unreadable(f"it has {len(rows):,} rows or more in {table}")
    fields = {
        "tier": PLACE,
        **{field: columns[field] for field in columns if field not in _HANDLED},
        "content": unpickled(data, writer),
        "tags": [row.values.get("tag") for row in beside.get(_TAGS, ())],
    }
    links = [_link(row, writer) for row in beside.get(_LINKS, ())]
    return record_of(
        fields,
        PLACE,
        name,
        options.zone,
        writer,
        agent=columns.get("agent_id"),
        metadata=_metadata(columns.get("metadata")),
        more={"associations": sorted(links, key=str)} if links else {},
    )


def _link(row: Row, writer: Writer) -> dict[str, Any]:
    return {name: writer.json(row.values[name]) for name in row.values if name != "source_id"}


def _metadata(text: Any) -> Any:
    if text is None:
        return None
    if not isinstance(text, str):
        raise Unreadable("its metadata is no text")
    try:
        found = parse_json(text.encode())
        refuse_doubled_keys(found)
    except Unreadable as error:
        raise Unreadable(f"its metadata: {error}") from None
    return found


def _orphans(database: ForeignDb, table: str, name: str) -> Iterator[Found]:
    """Rows of a table beside, whose item is not there."""
    column = _BESIDE[table]
    for row in database.rows(table):
        if isinstance(row, Damaged):
            yield damaged_rows(row, name, table)
        elif not database.matching(_ITEMS, "id", row.values.get(column)):
            why = f"a row of {table} whose item is not there"
            yield quarantined(name, why, row_bytes(row.values), f"{table} row {row.rowid}")
