"""The last-writer-wins element set (CRDT_SPEC 3.6): for each element the later of add and remove.

It never shrinks; prefer `ORSet` unless time must decide. On a tie the add wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from memtend.crdt.base import HLC_MAX, Json, entries, integer, items
from memtend.limits import BATCH_MAX


class Times(NamedTuple):
    """When an element was last added and last removed; 0 is never."""

    added: int = 0
    removed: int = 0

    def join(self, other: Times) -> Times:
        return Times(max(self.added, other.added), max(self.removed, other.removed))


@dataclass(frozen=True, slots=True)
class LWWElementSet:
    times: Mapping[str, Times] = field(default_factory=dict)

    @property
    def value(self) -> frozenset[str]:
        return frozenset(e for e, t in self.times.items() if t.added and t.added >= t.removed)

    def add(self, element: str, hlc: int) -> LWWElementSet:
        return self.merge(LWWElementSet({element: Times(added=hlc)}))

    def remove(self, element: str, hlc: int) -> LWWElementSet:
        return self.merge(LWWElementSet({element: Times(removed=hlc)}))

    def merge(self, other: LWWElementSet) -> LWWElementSet:
        joined = dict(self.times)
        for element, times in other.times.items():
            joined[element] = joined.get(element, Times()).join(times)
        return LWWElementSet(joined)

    def delta(self, known: LWWElementSet) -> LWWElementSet:
        old = known.times
        return LWWElementSet(
            {e: t for e, t in self.times.items() if e not in old or old[e].join(t) != old[e]}
        )

    def encode(self) -> Json:
        return {element: list(self.times[element]) for element in sorted(self.times)}

    @classmethod
    def decode(cls, data: Json) -> Self:
        pairs = {element: items(pair, 2) for element, pair in entries(data, BATCH_MAX).items()}
        return cls(
            {e: Times(integer(a, HLC_MAX), integer(r, HLC_MAX)) for e, (a, r) in pairs.items()}
        )
