"""In which file of an AML tree a record belongs: what `migrate.legacy_aml` reads, the other way.

A list of items is one namespace, so items come together and one file is open at a time.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from memtend.errors import InvalidName
from memtend.model.foldernames import folder_of
from memtend.model.quoting import quote_segment, unquote_segment

LISTS: Final = {"patterns": "pattern", "solutions": "solution", "decisions": "decision"}
ARCHIVED: Final = "global/archived-decisions"
_SINGLE: Final = {
    "global": ("cross-agent", "project-meta", "team-conventions"),
    "monitoring": ("metrics", "alerts", "health"),
}
_OF_AGENT: Final = ("metrics", "context")
_BYTES_MAX: Final = 255


class Slot(NamedTuple):
    """A file below `memory`. A `kind` is that of the items of a list; other files are one value."""

    file: str
    kind: str | None = None


def slot_of(namespace: str, key: str) -> Slot | None:
    """None for what has no place in such a tree, or a name that no file can have."""
    slot = _slot_of(namespace, key)
    return slot if slot and max(map(len, slot.file.encode().split(b"/"))) <= _BYTES_MAX else None


def _slot_of(namespace: str, key: str) -> Slot | None:
    if namespace == ARCHIVED:
        return Slot(f"{namespace}.json", "decision")
    own = namespace == "audit" and "/" not in key and not key.startswith("q=")
    if own or key in _SINGLE.get(namespace, ()):
        return Slot(f"{namespace}/{key}.json")
    parts = namespace.split("/")
    if parts[0] != "agent" or not 2 <= len(parts) <= 3:
        return None
    folder = _folder(parts[1])
    if len(parts) == 3:
        kind = LISTS.get(parts[2])
        return Slot(f"{folder}/{parts[2]}.json", kind) if kind else None
    return Slot(f"{folder}/{key}.json") if key in _OF_AGENT else None


def _folder(segment: str) -> str:
    """Segments that are no quoting of ours are names themselves: two never share a folder."""
    try:
        name = unquote_segment(segment)
    except InvalidName:
        name = segment
    return folder_of(name if quote_segment(name) == segment else segment)
