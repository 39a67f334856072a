"""Importer for claude-flow's own `.swarm/memory.db`: texts by namespace and key.

A value that is JSON text becomes what it says, any other text stays text; `labels.extra` keeps
which of the two it was, so both can go back (`value_of`, `text_of_value`). Namespaces are one
segment each here, so no two entries share a place. The program stores a deadline and never enforces
it: it travels with the item, and a row that has only a `ttl` gets the deadline that it means.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, NamedTuple

from memtend.codec.canonical import encode
from memtend.errors import InvalidValue, LimitExceeded
from memtend.limits import TTL_MS_MAX, VALUE_BYTES_MAX
from memtend.migrate.foreign_db import Damaged, ForeignDb, opened
from memtend.migrate.items import Found, ImportItem, Lineage, quarantined, sealed
from memtend.migrate.reader import Options
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
from memtend.migrate.swarm_rows import metadata_of
from memtend.model.quoting import quote_name, quote_segment
from memtend.model.record import Labels
from memtend.model.timestamps import Moment, NotATime, parse_moment
from memtend.model.unreadable import Unreadable
from memtend.upcast.labelling import first, label, part, share, tags, whole

KIND: Final = "claude-flow"
COLUMNS: Final = frozenset(("key", "value", "namespace"))
_TIMES: Final = ("created_at", "updated_at", "accessed_at", "expires_at")
_READ: Final = COLUMNS | {"id", "metadata", "access_count", "ttl", *_TIMES}
_TTL_S_MAX: Final = TTL_MS_MAX // 1_000
JSON, TEXT = "json", "text"


class Value(NamedTuple):
    """`form` says what the text was."""

    value: Any
    form: str


def looks_like(root: Path) -> bool:
    return has_columns(root, COLUMNS)


def read(root: Path, options: Options) -> Iterator[Found]:
    """Every row, then what lies beside the database. Expired rows come with their deadline."""
    path, name = located(root, KIND)
    try:
        with opened(path) as database:
            if database.damage is not None:
                yield unreadable_file(path, name, f"it is damaged: {database.damage}")
            wanted_columns(database, COLUMNS, KIND)
            yield from _items(database, name, options.zone)
            yield from other_tables(database, name, (TABLE,))
    except Unreadable as error:
        yield unreadable_file(path, name, str(error))
    yield from others(path, root)


def _items(database: ForeignDb, name: str, zone: tzinfo) -> Iterator[Found]:
    for row in database.rows(TABLE):
        if isinstance(row, Damaged):
            yield damaged_rows(row, name, TABLE)
            continue
        try:
            yield sealed(*_item(row.values, name, zone))
        except (Unreadable, NotATime, InvalidValue, LimitExceeded) as error:
            known = row.values.get("key")
            item_id = known if isinstance(known, str) else f"{TABLE} row {row.rowid}"
            yield quarantined(name, str(error), row_bytes(row.values), item_id)


def _item(values: dict[str, Any], name: str, zone: tzinfo) -> tuple[ImportItem, str]:
    """The item, and the namespace in which its key is unique."""
    space, key, text = (text_of(values, column) for column in ("namespace", "key", "value"))
    if key is None or text is None:
        raise Unreadable("it has no key or no value")
    space = "default" if space is None else space
    value = value_of(text)
    metadata = metadata_of(values)
    times = {column: _time(values, column, zone) for column in _TIMES}
    created, updated, accessed, _ = times.values()
    extra: dict[str, Any] = {"original": {"form": value.form, **_original(values)}}
    if metadata:
        extra["metadata"] = metadata
    labels = Labels(
        kind=label(part(metadata, "type")) or "note",
        agent=label(first(part(metadata, "agent"), part(metadata, "agentId"))),
        session=label(first(part(metadata, "session"), part(metadata, "sessionId"))),
        tags=tags(part(metadata, "tags")),
        confidence=share(part(metadata, "confidence")),
        extra=extra,
    )
    item = ImportItem(
        namespace=quote_segment(space),
        key=quote_name(key),
        value=value.value,
        labels=labels,
        created_ms=created.ms if created else None,
        updated_ms=updated.ms if updated else None,
        accessed_ms=accessed.ms if accessed else None,
        expires_at_ms=deadline_ms(values, zone),
        access_count=whole(values.get("access_count")) or 0,
        naive_times=sum(moment.naive for moment in times.values() if moment),
        source=Lineage(kind=KIND, path=name, id=key, format="1"),
    )
    return item, space


def deadline_ms(values: dict[str, Any], zone: tzinfo) -> int | None:
    """When a row ends; raises `NotATime` and `Unreadable`. A deadline of 0 and a TTL of 0 are
    none, as there."""
    if values.get("expires_at"):
        stated = _time(values, "expires_at", zone)
        return stated.ms if stated else None
    ttl = values.get("ttl")
    if not ttl:
        return None
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not 0 < ttl <= _TTL_S_MAX:
        raise Unreadable("its ttl is no number of seconds")
    since = _time(values, "updated_at", zone) or _time(values, "created_at", zone)
    return None if since is None else since.ms + round(ttl * 1_000)


def value_of(text: str) -> Value:
    """What a text says, if it is JSON that a value can hold exactly; else the text.

    A single number, true, false or null is taken only as it would be written again: `1.10` may be
    a version, so it stays text.
    """
    try:
        found = _DECODER.decode(text)
        exact = isinstance(found, dict | list | str) or json.dumps(found) == text
        if exact and len(encode(found)) <= VALUE_BYTES_MAX:
            return Value(found, JSON)
    except (ValueError, RecursionError, InvalidOperation, InvalidValue, LimitExceeded):
        pass
    return Value(text, TEXT)


def text_of_value(value: Any, form: str) -> str:
    """The way back: the same text, or the same JSON in its shortest form."""
    if form == TEXT and isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _whole(digits: str) -> int:
    found = int(digits)
    if str(found) != digits:
        raise ValueError(digits)
    return found


def _number(digits: str) -> float:
    found = float(digits)
    if Decimal(repr(found)) != Decimal(digits):
        raise ValueError(digits)
    return found


def _refused(name: str) -> Any:
    raise ValueError(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a doubled key")
    return found


_DECODER: Final = json.JSONDecoder(
    parse_int=_whole,
    parse_float=_number,
    parse_constant=_refused,
    object_pairs_hook=_object,
)


def _time(values: dict[str, Any], column: str, zone: tzinfo) -> Moment | None:
    value = values.get(column)
    return None if value is None or value == 0 else parse_moment(value, zone)


def _original(values: dict[str, Any]) -> dict[str, Any]:
    """The TTL that was asked for, and columns that nobody knows."""
    kept = {k: v for k, v in values.items() if (k not in _READ or k == "ttl") and v is not None}
    for name, value in kept.items():
        if isinstance(value, bytes):
            raise Unreadable(f"its {name} is no text")
    return kept
