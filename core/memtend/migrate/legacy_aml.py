"""Importer for AML trees in plain JSON: `<memory>/<agent>/{patterns,solutions,decisions,…}.json`.

Each item becomes one record `agent/<agent>/<file>` / `<id>` whose value is the item unchanged, so
nothing of any schema version can be lost; labels only repeat what the item says. The compressed
forms (gzip inside `.json`, `.json.gz`) are recognised and quarantined with that reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final, NamedTuple

from memtend.errors import SourceUnknown
from memtend.limits import PATH_BYTES_MAX
from memtend.migrate.files import (
    SourceFile,
    as_text,
    parse_json,
    read_bytes,
    refuse_doubled_keys,
    walk,
)
from memtend.migrate.items import Found, ImportItem, Lineage, PassedOver, quarantined, sealed
from memtend.migrate.reader import Options
from memtend.model.quoting import quote_name, quote_segment
from memtend.model.record import Labels
from memtend.model.timestamps import Moment, NotATime, parse_moment
from memtend.model.unreadable import Unreadable
from memtend.upcast.aml_versions import TIME_FIELDS, confidence, counts, item_version
from memtend.upcast.labelling import first, is_text, label, part, tags

KIND: Final = "aml"
LISTS: Final = {"patterns": "pattern", "solutions": "solution", "decisions": "decision"}
SHARED: Final = frozenset(("config", "global", "monitoring", "audit"))

_OF_AGENT: Final = {"metrics": "metric", "context": "context"}
_OF_GLOBAL: Final = {
    "cross-agent": "knowledge",
    "project-meta": "project",
    "team-conventions": "convention",
    "archived-decisions": "decision",
}
_OF_MONITORING: Final = {"metrics": "metric", "alerts": "alert", "health": "health"}
_DERIVED: Final = "it is derived from the items and never read"
_CONFIG: Final = "configuration of the old program; the version of each item is read off the item"


class _Place(NamedTuple):
    """What a file holds: `listed` kinds must be lists of items with ids."""

    namespace: str
    kind: str
    agent: str | None = None
    listed: bool = False


def looks_like(root: Path) -> bool:
    return _memory_in(root) is not None


def read(root: Path, options: Options) -> Iterator[Found]:
    """Everything in the tree; raises `SourceUnknown` where no agent's files are."""
    memory = _memory_in(root)
    if memory is None:
        raise SourceUnknown(source=str(root), why="no agent's patterns.json or the like is in it")
    return _read_tree(memory, options.zone)


def _memory_in(root: Path) -> Path | None:
    """The folder that holds the agents: `.loom/memory`, `memory`, or `root` itself."""
    for memory in (root / ".loom" / "memory", root / "memory", root):
        names = [f"{stem}.json{end}" for stem in LISTS for end in ("", ".gz")]
        if any(next(memory.glob(f"*/{name}"), None) for name in names):
            return memory
    return None


def _read_tree(memory: Path, zone: tzinfo) -> Iterator[Found]:
    for file in walk(memory, memory):
        place = _place(file.relative)
        if isinstance(place, str):
            yield PassedOver(path=file.relative, reason=place)
        else:
            yield from _read_file(file, place, zone)
    if (memory.parent / "memory-backup").is_dir():
        why = "backups of the old program are not part of its memory"
        yield PassedOver(path="../memory-backup", reason=why)


def _place(relative: str) -> _Place | str | None:
    """Where a file's items go, why it is passed over, or None for a file nobody knows."""
    folder, _, name = relative.rpartition("/")
    stem = name.removesuffix(".gz").removesuffix(".json")
    if relative == "config.json" or (folder == "config" and stem != name):
        return _CONFIG
    if name == "bloom.dat" or (stem == "index" and stem != name):
        return _DERIVED
    if stem == name or not folder or "/" in folder:
        return None
    return _shared(folder, stem) if folder in SHARED else _of_agent(folder, stem)


def _shared(folder: str, stem: str) -> _Place | None:
    if folder == "audit":
        return _Place("audit", "audit")
    kinds = _OF_GLOBAL if folder == "global" else _OF_MONITORING
    if stem == "archived-decisions" and folder == "global":
        return _Place("global/archived-decisions", kinds[stem], listed=True)
    return _Place(folder, kinds[stem]) if stem in kinds else None


def _of_agent(folder: str, stem: str) -> _Place | None:
    namespace = f"agent/{quote_segment(folder)}"
    if stem in LISTS:
        return _Place(f"{namespace}/{stem}", LISTS[stem], folder, listed=True)
    return _Place(namespace, _OF_AGENT[stem], folder) if stem in _OF_AGENT else None


def _read_file(file: SourceFile, place: _Place | None, zone: tzinfo) -> Iterator[Found]:
    data = b""
    try:
        data = read_bytes(file)
        if place is None:
            raise Unreadable("it is not a file of this format")
        content = parse_json(data)
        if place.listed and not isinstance(content, list):
            raise Unreadable("it is not a list of items")
    except Unreadable as error:
        yield quarantined(file.relative, str(error), data)
        return
    if not place.listed:
        stem = file.path.name.removesuffix(".json")
        yield _read_item(file, place, content, stem, zone, data)
        return
    for at, item in enumerate(content):
        item_id = part(item, "id")
        if is_text(item_id, PATH_BYTES_MAX):
            yield _read_item(file, place, item, item_id, zone, data)
        else:
            why = f"item {at} has no id of 1 to {PATH_BYTES_MAX} characters"
            yield quarantined(file.relative, why, as_text(item, data))


def _read_item(
    file: SourceFile, place: _Place, item: Any, item_id: str, zone: tzinfo, data: bytes
) -> Found:
    """`data` is the whole file: an item with doubled keys is only told in full by its file."""
    try:
        refuse_doubled_keys(item)
    except Unreadable as error:
        return quarantined(file.relative, str(error), data, item_id)
    try:
        record = _item(file, place, item, item_id, zone)
        return sealed(record, scope=place.namespace)
    except (Unreadable, NotATime) as error:
        return quarantined(file.relative, str(error), as_text(item, data), item_id)


def _item(file: SourceFile, place: _Place, item: Any, item_id: str, zone: tzinfo) -> ImportItem:
    fields: Mapping[str, Any] = item if isinstance(item, dict) else {}
    times = _times(fields, zone)
    version = item_version(place.kind, fields) if place.listed else "1.0.0"
    known = counts(fields) if place.listed else None
    created = [times[name].ms for name in TIME_FIELDS if name in times and "last" not in name[-1]]
    stamp = times.get(("timestamp",))
    return ImportItem(
        namespace=place.namespace,
        key=quote_name(item_id),
        value=item,
        labels=Labels(
            kind=place.kind,
            agent=first(label(fields.get("agent")), label(place.agent)),
            tags=tags(fields.get("tags")),
            confidence=confidence(fields),
            success_count=known.success if known else None,
            failure_count=known.failure if known else None,
        ),
        created_ms=min(created, default=None),
        updated_ms=stamp.ms if stamp else max(created, default=None),
        naive_times=sum(moment.naive for moment in times.values()),
        without_metrics=known is None or known.success is None,
        source=Lineage(
            kind=KIND,
            path=file.relative,
            id=item_id,
            format=version,
            version=version,
        ),
    )


def _times(item: Mapping[str, Any], zone: tzinfo) -> dict[tuple[str, ...], Moment]:
    """Every time the item states. One that is garbage quarantines the item; absent is absent."""
    stated = {name: part(item, *name) for name in TIME_FIELDS}
    return {name: parse_moment(at, zone) for name, at in stated.items() if at is not None}
