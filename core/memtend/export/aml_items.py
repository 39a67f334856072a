"""The items of a store in the version that an AML tree is wanted in.

A value that a migration made goes back by its undo, but only as long as it is still the value that
was made: what was changed since is cast by the default inverse, so that no change is undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from memtend.model.migrated import MIGRATED
from memtend.model.unreadable import Unreadable
from memtend.upcast.family import AML


class Item(NamedTuple):
    """`losses` are the fields that the version cannot hold. Without a version it is as it was: the
    chain knows no such item."""

    value: Any
    version: str | None
    losses: tuple[str, ...] = ()


def item_in(kind: str, value: Any, extra: Mapping[str, Any], version: str) -> Item:
    """Raises `Unreadable` for an item of a version that is not known."""
    found = AML.version_of(kind, value)
    if found is None:
        return Item(value, None)
    at, wanted = AML.versions.index(found), AML.versions.index(version)
    if at > wanted:
        before = _before(kind, value, extra)
        if before is not None:
            value = before
    cast = AML.cast(kind, value, version)
    return Item(cast.value, version, cast.losses)


def _before(kind: str, value: Any, extra: Mapping[str, Any]) -> Any:
    """What a migration made this very value from; None where there was none."""
    said = extra.get(MIGRATED)
    if not isinstance(said, dict) or said.get("family") != AML.name:
        return None
    try:
        before = AML.down(kind, value, str(said.get("from")), said.get("undo")).value
        made = AML.up(kind, before, AML.version_of(kind, value)).value
    except Unreadable:
        return None
    return before if made == value else None
