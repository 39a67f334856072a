"""Importer for the lifecycle store: JSON files beside a SQLite file of metadata.

The true key is the field `key`, never the file's name (three keys may share one name). The file
wins over its metadata row; a row without a file is reported. Values marked compressed are unpacked;
losers of a conflict are packed without a mark, so they are sniffed. What the value does not say
itself (version, original namespace, unknown fields) is kept in `labels.extra`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

from memtend.codec.canonical import encode
from memtend.errors import InvalidPolicy, InvalidValue, LimitExceeded
from memtend.limits import INTEGER_ABS_MAX, PATH_BYTES_MAX, SIBLINGS_MAX
from memtend.migrate.files import (
    SourceFile,
    parse_json,
    read_bytes,
    refuse_doubled_keys,
    set_aside,
    unpack,
    walk,
)
from memtend.migrate.foreign_db import opened
from memtend.migrate.items import (
    Found,
    ImportItem,
    Lineage,
    OlderValue,
    PassedOver,
    Quarantined,
    printable,
    quarantined,
    sealed,
)
from memtend.migrate.legacy_lifecycle_rows import MetadataRows
from memtend.migrate.reader import Options
from memtend.model.policy import Reading
from memtend.model.policyset import PolicySet
from memtend.model.quoting import quote_name
from memtend.model.record import Labels
from memtend.model.timestamps import Moment, NotATime, parse_moment
from memtend.model.unreadable import Unreadable
from memtend.policies import load_policies
from memtend.upcast.labelling import is_text, label, part, share, tags

KIND: Final = "lifecycle"
MEMORY: Final = Path(".claude-flow/memory")
DATABASE: Final = Path(".claude-flow/memory.db")
POLICIES: Final = Path(".claude/memory-retention-policies.yaml")

_FIELDS: Final = frozenset(
    ("key", "value", "timestamp", "namespace", "compressed", "version", "conflicted")
) | {"conflict_values"}
_KINDS: Final = (
    ("decisions", "decision"),
    ("patterns", "pattern"),
    ("solutions", "solution"),
    ("progress", "progress"),
    ("status", "progress"),
    ("metrics", "metric"),
    ("session", "session"),
    ("coordination", "coordination"),
    ("knowledge", "knowledge"),
)
_GZIP_IN_BASE64: Final = "H4sI"


def looks_like(root: Path) -> bool:
    return (root / MEMORY).is_dir() or (root / DATABASE).is_file()


def read(root: Path, options: Options) -> Iterator[Found]:
    """Everything in the store. Without policies, the source's own say what is a counter.

    With others, what is a counter by the source's own alone is counted and said.
    """
    own, damage = _own_policies(root)
    policies = own if options.policies is None else options.policies
    lost_counters = 0
    if damage is not None:
        yield damage
    with ExitStack() as stack:
        rows = MetadataRows(None, "", root)
        if (root / DATABASE).exists():
            try:
                database = stack.enter_context(opened(root / DATABASE))
                if database.damage is not None:
                    yield _database_damage(root, database.damage)
                rows = MetadataRows(database, DATABASE.as_posix(), root / MEMORY)
            except Unreadable as error:
                yield _database_damage(root, str(error))
        for file in walk(root / MEMORY, root) if (root / MEMORY).is_dir() else ():
            found = _read_file(file, rows, options.zone, policies)
            if isinstance(found, Quarantined):
                rows.unread(file.path.name)
            elif not found.counter:
                lost_counters += own.resolve(*found[:2]).reading is Reading.COUNTER
            yield found
        yield from rows.lost()
    if damage is None and os.path.lexists(root / POLICIES):
        why = "configuration; `memtend policies from` translates it"
        if lost_counters:
            why += f": {lost_counters:,} of its counters are plain values by the policies here"
        yield PassedOver(path=POLICIES.as_posix(), reason=why)


def _own_policies(root: Path) -> tuple[PolicySet, Quarantined | None]:
    file = SourceFile(root / POLICIES, POLICIES.as_posix())
    if not os.path.lexists(file.path):
        return PolicySet(), None
    data = b""
    try:
        data = read_bytes(file)
        text = data.decode("utf-8", "surrogateescape")
        return load_policies(text, file.relative).policies, None
    except (InvalidPolicy, Unreadable) as error:
        return PolicySet(), set_aside(file, str(error), data)


def _database_damage(root: Path, why: str) -> Quarantined:
    file = SourceFile(root / DATABASE, DATABASE.as_posix())
    return set_aside(file, f"it cannot be read: {why}")


def _read_file(
    file: SourceFile, rows: MetadataRows, zone: tzinfo, policies: PolicySet
) -> ImportItem | Quarantined:
    data = b""
    item_id: str | None = None
    try:
        data = read_bytes(file)
        if file.path.suffix != ".json":
            raise Unreadable("it is not a file of this store")
        item = parse_json(data)
        if not isinstance(item, dict):
            raise Unreadable("it is not an object")
        refuse_doubled_keys(item)
        key = item.get("key")
        if not isinstance(key, str) or not is_text(key, PATH_BYTES_MAX):
            raise Unreadable(f"it has no key of 1 to {PATH_BYTES_MAX} characters")
        item_id = key
        return sealed(_item(file, item, rows.met(key), zone, policies))
    except (Unreadable, NotATime, InvalidValue, LimitExceeded) as error:
        if item_id is None:
            return set_aside(file, str(error), data)
        return quarantined(file.relative, str(error), data, item_id)


def _item(
    file: SourceFile,
    item: Mapping[str, Any],
    accessed_ms: int | None,
    zone: tzinfo,
    policies: PolicySet,
) -> ImportItem:
    if "value" not in item or "timestamp" not in item:
        raise Unreadable("it has no value or no timestamp")
    true_key: str = item["key"]
    original = item.get("namespace") or "/".join(true_key.split("/")[:2])
    if not isinstance(original, str):
        raise Unreadable("its namespace is not text")
    own = true_key.removeprefix(f"{original}/")
    namespace, key = quote_name(original), quote_name(own or true_key)
    value = unpack(item["value"]) if item.get("compressed") else item["value"]
    refuse_doubled_keys(value)
    at = parse_moment(item["timestamp"], zone)
    siblings, naive = _siblings(value, item.get("conflict_values"), zone)
    counter = policies.resolve(namespace, key).reading is Reading.COUNTER
    if counter:
        _check_counter(value, siblings)
    return ImportItem(
        namespace=namespace,
        key=key,
        value=value,
        siblings=siblings,
        counter=counter,
        labels=_labels(true_key, value, item),
        created_ms=min([at.ms, *(sibling.at_ms for sibling in siblings)]),
        updated_ms=at.ms,
        accessed_ms=accessed_ms,
        naive_times=naive + at.naive,
        without_metrics=True,
        source=Lineage(
            kind=KIND,
            path=file.relative,
            id=true_key,
            format="1",
            version=printable(str(item["version"])[:64]) if "version" in item else None,
        ),
    )


def _siblings(current: Any, losers: Any, zone: tzinfo) -> tuple[tuple[OlderValue, ...], int]:
    """The losers, oldest first, each value once, and how many of their times were naive."""
    if losers is None:
        return (), 0
    if not isinstance(losers, list) or not all(isinstance(x, list) and len(x) == 2 for x in losers):
        raise Unreadable("its conflict values are not a list of value and time")
    if len(losers) >= SIBLINGS_MAX:
        raise Unreadable(f"it has {len(losers)} conflict values; {SIBLINGS_MAX - 1} fit")
    moments: list[Moment] = [parse_moment(at, zone) for _, at in losers]
    values = [_sniffed(value) for value, _ in losers]
    oldest_first = sorted(zip(moments, values, strict=True), key=lambda pair: pair[0].ms)
    found = {encode(value): OlderValue(value, moment.ms) for moment, value in oldest_first}
    found.pop(encode(current), None)
    siblings = sorted(found.values(), key=lambda sibling: sibling.at_ms)
    return tuple(siblings), sum(moment.naive for moment in moments)


def _sniffed(value: Any) -> Any:
    """Losers carry no mark. A text that only looks packed is what it is: text."""
    if not (isinstance(value, str) and value.startswith(_GZIP_IN_BASE64)):
        return value
    try:
        unpacked = unpack(value)
    except Unreadable:
        return value
    refuse_doubled_keys(unpacked)
    return unpacked


def _check_counter(value: Any, siblings: tuple[OlderValue, ...]) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > INTEGER_ABS_MAX:
        raise Unreadable("it is a counter by policy, but its value is not a whole number")
    if siblings:
        raise Unreadable("it is a counter by policy, but it has conflict values")


def _labels(true_key: str, value: Any, item: Mapping[str, Any]) -> Labels:
    segments = true_key.split("/")
    kind = next((kind for segment, kind in _KINDS if segment in segments), "note")
    agent = label(part(value, "agent"))
    if agent is None and len(segments) > 2 and segments[0] in ("agent", "coordination"):
        agent = label(segments[1])
    in_session = segments[0] == "session" and len(segments) > 1
    extra: dict[str, Any] = {name: item[name] for name in item if name not in _FIELDS}
    original = {
        name: item[name]
        for name in ("namespace", "compressed", "conflicted", "version")
        if name in item
    }
    return Labels(
        kind=kind,
        agent=agent,
        session=label(segments[1]) if in_session else label(part(value, "session")),
        tags=tags(part(value, "tags")),
        confidence=share(part(value, "confidence")),
        extra={"original": original} | ({"extra": extra} if extra else {}),
    )
