"""The observed-remove set (CRDT_SPEC 3.5): a concurrent add wins, and removing leaves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from memtend.crdt.base import Json, entries, integer, items, text
from memtend.crdt.causal import EMPTY, Dot, VersionVector, merge_dots
from memtend.limits import BATCH_MAX


@dataclass(frozen=True, slots=True)
class ORSet:
    """Each element with the events that added it."""

    seen: VersionVector = EMPTY
    dots: Mapping[str, frozenset[Dot]] = field(default_factory=dict)

    @property
    def value(self) -> frozenset[str]:
        return frozenset(self.dots)

    def add(self, element: str, dot: Dot) -> ORSet:
        return ORSet(self.seen.with_dot(dot), {**self.dots, element: frozenset({dot})})

    def remove(self, element: str) -> ORSet:
        """Forget the adds seen here. That they are seen and absent is what peers learn from."""
        return ORSet(self.seen, {e: dots for e, dots in self.dots.items() if e != element})

    def merge(self, other: ORSet) -> ORSet:
        mine = {dot: e for e, dots in self.dots.items() for dot in dots}
        theirs = {dot: e for e, dots in other.dots.items() for dot in dots}
        merged: dict[str, set[Dot]] = {}
        for dot, element in merge_dots(mine, self.seen, theirs, other.seen).items():
            merged.setdefault(element, set()).add(dot)
        joined = self.seen.join(other.seen)
        return ORSet(joined, {element: frozenset(dots) for element, dots in merged.items()})

    def delta(self, known: ORSet) -> ORSet:
        """All or nothing: nothing here records removals one by one. Rows of the store do better."""
        return ORSet() if known.merge(self) == known else self

    def encode(self) -> Json:
        listed = {e: [list(dot) for dot in sorted(self.dots[e])] for e in sorted(self.dots)}
        return [self.seen.encode(), listed]

    @classmethod
    def decode(cls, data: Json) -> Self:
        seen, listed = items(data, 2)
        vector = VersionVector.decode(seen)
        taken: set[Dot] = set()
        elements: dict[str, frozenset[Dot]] = {}
        for element, pairs in entries(listed, BATCH_MAX).items():
            dots = [Dot(text(r), integer(n)) for r, n in (items(pair, 2) for pair in items(pairs))]
            if not dots or taken.intersection(dots) or len(set(dots)) < len(dots):
                raise ValueError("an element without events, or an event used twice")
            if not all(map(vector.contains, dots)):
                raise ValueError("an event that the vector has not seen")
            taken.update(dots)
            elements[element] = frozenset(dots)
        return cls(vector, elements)
