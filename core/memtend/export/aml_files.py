"""In which file of an AML tree a record belongs: what `migrate.aml_places` reads, the other way.

A list of items is one namespace, so items come together and one file is open at a time.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from memtend.errors import InvalidName
from memtend.export.folders import Folders
from memtend.model.quoting import quote_segment, unquote_segment

ALERT: Final = "alert"

_LISTS: Final = {"patterns": "pattern", "solutions": "solution", "decisions": "decision"}
_ARCHIVES: Final = {
    "archived-decisions": "decisions",
    "archived-negative-decisions": "negative_decisions",
}
_SHARED_LISTS: Final = {"global/archived-decisions": "decision", "monitoring/alerts": ALERT}
_SINGLE: Final = {
    "global": ("cross-agent", "project-meta", "team-conventions"),
    "monitoring": ("metrics", "alerts", "health"),
}
_OF_AGENT: Final = ("metrics", "context")
_BYTES_MAX: Final = 255


class Slot(NamedTuple):
    """A file of the tree. A `kind` is that of the items of a list; other files are one value."""

    file: str
    kind: str | None = None


def slot_of(namespace: str, key: str, made_at: datetime, folders: Folders) -> Slot | None:
    """None for what has no place in such a tree or would not be read there, or a name that no file
    can have.

    The old program named files of archived decisions after when it made them; `made_at` is when we
    do.
    """
    slot = _slot_of(namespace, key, made_at, folders)
    return slot if slot and max(map(len, slot.file.encode().split(b"/"))) <= _BYTES_MAX else None


def _slot_of(namespace: str, key: str, made_at: datetime, folders: Folders) -> Slot | None:
    if namespace in _SHARED_LISTS:
        return Slot(f"memory/{namespace}.json", _SHARED_LISTS[namespace])
    if (namespace == "audit" and _is_audit(key)) or key in _SINGLE.get(namespace, ()):
        return Slot(f"memory/{namespace}/{key}.json")
    parts = namespace.split("/")
    name = _name(parts[1]) if parts[0] == "agent" and 2 <= len(parts) <= 3 else None
    if name is None:
        return None
    folder = folders.of(name)
    if len(parts) == 2:
        return Slot(f"memory/{folder}/{key}.json") if key in _OF_AGENT else None
    if parts[2] in _ARCHIVES:
        name = f"{_ARCHIVES[parts[2]]}_{made_at:%Y%m%d_%H%M%S}.json.gz"
        return Slot(f"memory-backup/archives/{folder}/{name}", "decision")
    kind = _LISTS.get(parts[2])
    return Slot(f"memory/{folder}/{parts[2]}.json", kind) if kind else None


def _is_audit(key: str) -> bool:
    """Whether the reader takes the file of this name for one of the audit."""
    derived_or_copy = key == "index" or ".json.backup-" in key
    return "/" not in key and not key.startswith("q=") and not derived_or_copy


def _name(segment: str) -> str | None:
    """The agent; None for a segment that the reader would never make, and so not give back."""
    try:
        name = unquote_segment(segment)
    except InvalidName:
        return None
    return name if name and quote_segment(name) == segment else None
