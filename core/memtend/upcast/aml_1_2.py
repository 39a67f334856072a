"""AML 1.2.0: every item with metadata; patterns with a list of variations.

`last_modified` is the item's own timestamp, not the time of the migration: two replicas that
migrate the same item on different days must write the same bytes. A user's own metadata stays:
beside ours where the names are free, else whole, below `extra` in it.
"""

from __future__ import annotations

from typing import Any, Final

from memtend.upcast.aml_marks import is_own_metadata
from memtend.upcast.casting import PLAIN, TRY, Step, Went

_AUTHOR: Final = "migration"
_NOT_PLAIN: Final = frozenset(("metadata", "variations", "version"))


def _up(kind: str, item: dict[str, Any]) -> Went:
    made = {"created_by": _AUTHOR, "last_modified": _last_modified(item), "version": "1.2.0"}
    plain = item.keys().isdisjoint(_NOT_PLAIN)
    if "metadata" in item:
        stated = item["metadata"]
        if isinstance(stated, dict) and (is_own_metadata(stated) or "version" not in stated):
            item["metadata"] = {**made, **stated}
        else:
            item["metadata"] = {**made, "extra": stated}
    else:
        item["metadata"] = made
    if kind == "pattern" and "variations" not in item:
        item["variations"] = []
    return PLAIN if plain else TRY


def _last_modified(item: dict[str, Any]) -> str | None:
    timestamp = item.get("timestamp")
    return timestamp if isinstance(timestamp, str) else None


def _down(kind: str, item: dict[str, Any]) -> tuple[str, ...]:
    """Only metadata in our own form goes, and of that only what going up puts back."""
    metadata = item.get("metadata")
    if isinstance(metadata, dict) and is_own_metadata(metadata):
        left = dict(metadata)
        del left["version"]
        if left["created_by"] == _AUTHOR:
            del left["created_by"]
        if left["last_modified"] == _last_modified(item):
            del left["last_modified"]
        if left.keys() == {"extra"}:
            item["metadata"] = left["extra"]
        elif left:
            item["metadata"] = left
        else:
            del item["metadata"]
    if kind == "pattern" and item.get("variations") == []:
        del item["variations"]
    return ()


STEP: Final = Step("1.2.0", _up, _down, stated=False)
