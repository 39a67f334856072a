"""In which file of an AML tree a record belongs: what `migrate.aml_places` reads, the other way.

A list of items is one namespace, so items come together and one file is open at a time.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from memtend.errors import InvalidName
from memtend.model.foldernames import folder_of
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


def slot_of(namespace: str, key: str, made_at: datetime) -> Slot | None:
    """None for what has no place in such a tree, or a name that no file can have.

    The old program named files of archived decisions after when it made them; `made_at` is when we
    do.
    """
    slot = _slot_of(namespace, key, made_at)
    return slot if slot and max(map(len, slot.file.encode().split(b"/"))) <= _BYTES_MAX else None


def _slot_of(namespace: str, key: str, made_at: datetime) -> Slot | None:
    if namespace in _SHARED_LISTS:
        return Slot(f"memory/{namespace}.json", _SHARED_LISTS[namespace])
    own = namespace == "audit" and "/" not in key and not key.startswith("q=")
    if own or key in _SINGLE.get(namespace, ()):
        return Slot(f"memory/{namespace}/{key}.json")
    parts = namespace.split("/")
    if parts[0] != "agent" or not 2 <= len(parts) <= 3:
        return None
    folder = _folder(parts[1])
    if len(parts) == 2:
        return Slot(f"memory/{folder}/{key}.json") if key in _OF_AGENT else None
    if parts[2] in _ARCHIVES:
        name = f"{_ARCHIVES[parts[2]]}_{made_at:%Y%m%d_%H%M%S}.json.gz"
        return Slot(f"memory-backup/archives/{folder}/{name}", "decision")
    kind = _LISTS.get(parts[2])
    return Slot(f"memory/{folder}/{parts[2]}.json", kind) if kind else None


def _folder(segment: str) -> str:
    """Segments that are no quoting of ours are names themselves: two never share a folder."""
    try:
        name = unquote_segment(segment)
    except InvalidName:
        name = segment
    return folder_of(name if quote_segment(name) == segment else segment)
