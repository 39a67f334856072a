"""What kind of memory a folder holds, and the one door to read it.

A kind is recognised by its own files, never by the folder's name. A folder with two kinds, and
kinds that are recognised but not read by this version, are named in the error.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from memtend.errors import SourceUnknown
from memtend.migrate import legacy_aml, legacy_lifecycle
from memtend.migrate.items import Found
from memtend.migrate.timestamps import zone_named
from memtend.model.policyset import PolicySet


class SourceKind(StrEnum):
    LIFECYCLE = legacy_lifecycle.KIND
    AML = legacy_aml.KIND


def detect_source(root: Path) -> SourceKind:
    """Raises `SourceUnknown` unless `root` holds exactly one kind that can be read."""
    if not root.is_dir():
        raise SourceUnknown(source=str(root), why="it is not a folder")
    found: list[SourceKind] = []
    if (root / legacy_lifecycle.MEMORY).is_dir() or (root / legacy_lifecycle.DATABASE).is_file():
        found.append(SourceKind.LIFECYCLE)
    if _aml_memory(root) is not None:
        found.append(SourceKind.AML)
    if len(found) == 1:
        return found[0]
    if found:
        why = f"it holds more than one kind: {', '.join(found)}"
    elif (root / "memory_archive").is_dir() or root.name == "memory_archive":
        why = "it is an archive of pickled items, which this version does not read"
    elif any(root.glob("*.db")) or (root / ".swarm").is_dir():
        why = "it is a swarm's SQLite memory, which this version does not read"
    else:
        why = "no known file is in it"
    raise SourceUnknown(source=str(root), why=why)


def read_source(
    root: Path,
    kind: SourceKind | str | None = None,
    zone: str = "UTC",
    policies: PolicySet | None = None,
) -> Iterator[Found]:
    """Everything below `root`: items, what was quarantined, what was passed over.

    `zone` is where naive times were written. `policies` are those of the store that will take the
    items; they say what is a counter. Files are read as the iterator is; nothing is ever written.
    """
    known = detect_source(root) if kind is None else _kind_named(root, kind)
    at = zone_named(zone)
    if known is SourceKind.LIFECYCLE:
        return legacy_lifecycle.read_lifecycle(root, at, policies)
    memory = _aml_memory(root)
    if memory is None:
        raise SourceUnknown(source=str(root), why="no agent's patterns.json or the like is in it")
    return legacy_aml.read_aml(memory, at)


def _kind_named(root: Path, kind: str) -> SourceKind:
    if kind not in set(SourceKind):
        why = f"{kind!r} is not one of the kinds {', '.join(SourceKind)}"
        raise SourceUnknown(source=str(root), why=why)
    if not root.is_dir():
        raise SourceUnknown(source=str(root), why="it is not a folder")
    return SourceKind(kind)


def _aml_memory(root: Path) -> Path | None:
    """The folder that holds the agents: `.loom/memory`, `memory`, or `root` itself."""
    for memory in (root / ".loom" / "memory", root / "memory", root):
        names = [f"{stem}.json{end}" for stem in legacy_aml.LISTS for end in ("", ".gz")]
        if any(next(memory.glob(f"*/{name}"), None) for name in names):
            return memory
    return None
