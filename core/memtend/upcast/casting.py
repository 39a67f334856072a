"""Versions of a value, and the way from each to the next and back.

    cast = FAMILY.up("pattern", old)                  # to the newest; `old` is not changed
    FAMILY.down("pattern", cast.value, "1.0.0", cast.undo).value == old

The way back is exact for every value: `undo` holds what the default inverse of the steps would not
give back, as the places that differ and what stood there, and it is None where that is nothing.
Without an undo, down is the default inverse: it leaves out what up would put back unasked, keeps
whatever else the older version can hold, and names the rest in `losses`. Nothing here reads a
clock or a setting: the same value casts to the same bytes everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, NamedTuple

from memtend.model.unreadable import Unreadable
from memtend.upcast.undo import difference, restored


class Cast(NamedTuple):
    """A value in one version. `undo` and `losses` are told above; `unread` names the times that
    stay as they were written because no moment, or no zone, can be read from them."""

    value: Any
    version: str
    undo: Any | None = None
    losses: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


class Went(NamedTuple):
    """What a step up did. `plain` promises that the default inverse gives the item back as it was,
    versions that it states included. Where nothing is promised, and for items of versions that must
    state theirs and may not, the inverse is tried."""

    plain: bool = False
    unread: tuple[str, ...] = ()


PLAIN: Final = Went(plain=True)
TRY: Final = Went()


class Step(NamedTuple):
    """From one version to the next.

    `up` and `down` change the fields of an item of a kind in place; the family states the version.
    The item's top level is their own copy, what lies deeper is others' and is replaced, never
    changed. `down` returns the fields that the older version cannot hold. `stated` says that items
    of the newer version always carry their version.
    """

    newer: str
    up: Callable[[str, dict[str, Any]], Went]
    down: Callable[[str, dict[str, Any]], tuple[str, ...]]
    stated: bool = True


@dataclass(frozen=True)
class Family:
    """A line of versions. `steps` lead from `first` to the newest, one version each.

    `detect` reads the version off an item and returns None for a foreign one; `state` writes a
    version into an item that states one, or, told to, into any.
    """

    name: str
    kinds: frozenset[str]
    first: str
    steps: tuple[Step, ...]
    detect: Callable[[str, Mapping[str, Any], tuple[str, ...]], str | None]
    state: Callable[[dict[str, Any], str, bool], None]

    @cached_property
    def versions(self) -> tuple[str, ...]:
        """Oldest first."""
        return (self.first, *(step.newer for step in self.steps))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {version: n for n, version in enumerate(self.versions)}

    @property
    def newest(self) -> str:
        return self.versions[-1]

    def extended(self, step: Step) -> Family:
        """The family with one more version."""
        return replace(self, steps=(*self.steps, step))

    def version_of(self, kind: str, value: Any) -> str | None:
        """None for what is not of this family; raises `Unreadable` for an unknown version."""
        if kind not in self.kinds or not isinstance(value, dict):
            return None
        return self.detect(kind, value, self.versions)

    def up(self, kind: str, value: Any, to: str | None = None) -> Cast:
        """The value in the version `to`, else the newest. One that is there already stays."""
        found = self._found(kind, value)
        at, wanted = self._at(found), len(self.steps) if to is None else self._at(to)
        if at >= wanted:
            return Cast(value, found)
        item = {**value}
        plain = at == 0 or not self.steps[at - 1].stated
        unread: tuple[str, ...] = ()
        for step in self.steps[at:wanted]:
            went = step.up(kind, item)
            self.state(item, step.newer, step.stated)
            if went is not PLAIN:
                plain = plain and went.plain
                unread += went.unread
        undo = None if plain else difference(self._back(kind, item, wanted, at)[0], value)
        return Cast(item, self.versions[wanted], undo, (), unread)

    def down(self, kind: str, value: Any, to: str, undo: Any | None = None) -> Cast:
        """The value in the older version `to`. One that is as old already stays.

        `undo` must come from the cast that made this very value; raises `Unreadable` where it
        cannot have.
        """
        found = self._found(kind, value)
        at, wanted = self._at(found), self._at(to)
        if at <= wanted:
            return Cast(value, found)
        item, losses = self._back(kind, value, at, wanted)
        if undo is not None:
            item = restored(item, undo)
            if self.detect(kind, item, self.versions) != to:
                raise Unreadable("the undo belongs to another value")
            return Cast(item, to)
        return Cast(item, to, None, losses)

    def cast(self, kind: str, value: Any, to: str) -> Cast:
        """The value in the version `to`, older or newer, without an undo."""
        found = self._found(kind, value)
        return (self.up if self._at(found) < self._at(to) else self.down)(kind, value, to)

    def _back(
        self, kind: str, value: dict[str, Any], at: int, wanted: int
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        item = dict(value)
        losses: tuple[str, ...] = ()
        for n in range(at - 1, wanted - 1, -1):
            losses += self.steps[n].down(kind, item)
            older = self.versions[n]
            self.state(item, older, n > 0 and self.steps[n - 1].stated)
            if self.detect(kind, item, self.versions) != older:
                self.state(item, older, True)
        return item, losses

    def _found(self, kind: str, value: Any) -> str:
        found = self.version_of(kind, value)
        if found is None:
            raise Unreadable(f"it is no {kind[:64]} of the family {self.name}")
        return found

    def _at(self, version: str) -> int:
        at = self._places.get(version)
        if at is None:
            raise Unreadable(f"schema version {version[:64]!r} is not known")
        return at
