"""Causality: which events somebody has seen (CRDT_SPEC 1.4), and the one rule of merging by it.

The functions take any mapping `replica → n`; `VersionVector` is the immutable one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Self, TypeVar

from memtend.crdt.base import Json, entries, integer, sorted_object
from memtend.model.dot import Dot

__all__ = ["EMPTY", "Dot", "VersionVector", "covers", "descends", "join", "merge_dots"]

T = TypeVar("T")


def covers(seen: Mapping[str, int], dot: Dot) -> bool:
    """Whether event `dot` is among the events `seen`."""
    return dot.n <= seen.get(dot.replica, 0)


def descends(seen: Mapping[str, int], other: Mapping[str, int]) -> bool:
    """Whether `seen` includes all of `other`."""
    return all(n <= seen.get(replica, 0) for replica, n in other.items())


def join(seen: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    joined = dict(seen)
    for replica, n in other.items():
        if n > joined.get(replica, 0):
            joined[replica] = n
    return joined


def merge_dots(
    mine: Mapping[Dot, T],
    seen: Mapping[str, int],
    theirs: Mapping[Dot, T],
    they_saw: Mapping[str, int],
) -> dict[Dot, T]:
    """Keep what both have, and what one has and the other never saw (CRDT_SPEC 3.4, 5.2).

    What one side has seen and no longer has was replaced or removed there on purpose. That is why
    a vector is enough and no tombstone is needed.
    """
    kept = {d: v for d, v in mine.items() if d in theirs or not covers(they_saw, d)}
    kept.update((d, v) for d, v in theirs.items() if d not in mine and not covers(seen, d))
    return kept


class VersionVector(Mapping[str, int]):
    """For each replica the number of its events seen, all of them from the first. Immutable."""

    __slots__ = ("_counts",)

    def __init__(self, counts: Mapping[str, int] | None = None) -> None:
        self._counts = {r: n for r, n in (counts or {}).items() if n > 0}

    def __getitem__(self, replica: str) -> int:
        return self._counts[replica]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def __hash__(self) -> int:
        return hash(frozenset(self._counts.items()))

    def __repr__(self) -> str:
        return f"VersionVector({self._counts})"

    def contains(self, dot: Dot) -> bool:
        return covers(self, dot)

    def descends(self, other: Mapping[str, int]) -> bool:
        return descends(self, other)

    def join(self, other: Mapping[str, int]) -> VersionVector:
        return VersionVector(join(self, other))

    def merge(self, other: VersionVector) -> VersionVector:
        return self.join(other)

    def with_dot(self, dot: Dot) -> VersionVector:
        return self.join({dot.replica: dot.n})

    def next(self, replica: str) -> Dot:
        """The dot of the next event of `replica`."""
        return Dot(replica, self.get(replica, 0) + 1)

    def delta(self, known: VersionVector) -> VersionVector:
        return VersionVector({r: n for r, n in self.items() if n > known.get(r, 0)})

    def encode(self) -> Json:
        return sorted_object(self._counts)

    @classmethod
    def decode(cls, data: Json) -> Self:
        return cls({replica: integer(n) for replica, n in entries(data).items()})


EMPTY: Final = VersionVector()
