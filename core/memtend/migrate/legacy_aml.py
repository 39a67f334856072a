"""Importer for AML trees: `<memory>/<agent>/{patterns,solutions,decisions,…}.json`.

Each item becomes one record `agent/<agent>/<file>` / `<id>`. One of its two programs wrote plain
JSON, the other gzip under the same names; what space ran out for became `.json.gz`. The bytes say
which it is, not the name. Where `x.json` and `x.json.gz` are side by side they hold different items
of one list: both come in, and of an item that is in both, the one in `x.json`, which is newer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Set
from datetime import tzinfo
from pathlib import Path
from typing import Final

from memtend.errors import SourceUnknown
from memtend.migrate.aml_items import AmlFile
from memtend.migrate.aml_places import LISTS, Place, place_of
from memtend.migrate.files import SourceFile, read_bytes, set_aside, unzipped, walk
from memtend.migrate.items import Found, ImportItem, PassedOver
from memtend.migrate.jsontext import parse
from memtend.migrate.reader import Options
from memtend.model.unreadable import Unreadable

KIND: Final = "aml"
BACKUPS: Final = "memory-backup"
BACKUPS_LIST: Final = "backup_metadata.json"

_PACKED: Final = ".gz"
_UNFINISHED: Final = ".tmp"


def looks_like(root: Path) -> bool:
    """Not for a folder inside of backups: what is in one of those is checked and put together."""
    beside = Path(os.path.abspath(root)).parent / BACKUPS_LIST
    return _memory_in(root) is not None and not beside.is_file()


def read(root: Path, options: Options) -> Iterator[Found]:
    """Everything in the tree; raises `SourceUnknown` where no agent's files are."""
    memory = _memory_in(root)
    if memory is None:
        raise SourceUnknown(source=str(root), why="no agent's patterns.json or the like is in it")
    return _read_tree(memory, options.zone)


def _memory_in(root: Path) -> Path | None:
    """The folder that holds the agents: `.loom/memory`, `memory`, or `root` itself."""
    root = Path(os.path.abspath(root))  # what is beside `.` is not below it
    for memory in (root / ".loom" / "memory", root / "memory", root):
        names = [f"{stem}.json{end}" for stem in LISTS for end in ("", _PACKED)]
        if any(next(memory.glob(f"*/{name}"), None) for name in names):
            return memory
    return None


def _read_tree(memory: Path, zone: tzinfo) -> Iterator[Found]:
    newer: tuple[str, Set[str]] = ("", frozenset())
    for file in walk(memory, memory):
        place = place_of(file.relative)
        if isinstance(place, str):
            yield PassedOver(path=file.relative, reason=place)
            continue
        twin = f"{file.relative}{_PACKED}"
        ids: set[str] | None = None
        if place is not None and file.path.with_name(f"{file.path.name}{_PACKED}").is_file():
            newer = (twin, ids := set())
        in_newer = newer[1] if newer[0] == file.relative else frozenset[str]()
        for found in _read_file(file, place, zone, in_newer):
            if ids is not None and isinstance(found, ImportItem):
                ids.add(found.source.id)
            yield found
    if (memory.parent / BACKUPS).is_dir():
        why = "backups and archives of the old program; import them by themselves (aml-backup)"
        yield PassedOver(path=f"../{BACKUPS}", reason=why)


def _read_file(
    file: SourceFile, place: Place | None, zone: tzinfo, newer: Set[str]
) -> Iterator[Found]:
    data = b""
    try:
        if place is None:
            unfinished = file.relative.endswith(_UNFINISHED)
            why = "a file that was never finished" if unfinished else "not a file of this format"
            raise Unreadable(f"it is {why}")
        data = read_bytes(file)
        content = parse(unzipped(data))
    except Unreadable as error:
        yield set_aside(file, str(error), data)
        return
    found = AmlFile(KIND, file.relative, place, zone).read(content, data, newer)
    del data, content  # the items are handed over one by one, and make room
    yield from found
