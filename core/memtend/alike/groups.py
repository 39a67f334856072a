"""Which of the records that say the same stays, and which of them may stand for one another. Pure.

Two replicas may decide this apart from each other and sync later. So the choice rests on nothing
but what every replica holds alike: never on reads, which each counts for itself. Otherwise each
could drop what the other has kept, and both would be gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from memtend.model.candidate import Alike
from memtend.model.layout import Kind, locate

EXACT: Final = 1.0
_KNOWN: Final = frozenset((Kind.KNOWLEDGE, Kind.PATTERN, Kind.DECISION))


class Told(NamedTuple):
    """One record that may say what others say. `text` is its value, or what stands for it."""

    seq: int
    namespace: str
    key: str
    pinned: bool
    exp_ms: int | None
    created_ms: int
    text: bytes

    @property
    def rank(self) -> tuple[Any, ...]:
        """The least of them stays: pinned first, then what lives longest, then the oldest."""
        return (
            not self.pinned, self.exp_ms is not None, -(self.exp_ms or 0), self.created_ms,
            self.namespace, self.key,
        )  # fmt: skip


def may_stand_in(namespace: str, key: str) -> bool:
    """Whether its key is only a name. What an agent does, shares or waits for is told by the key:
    of two tasks that are both "done", neither is a copy of the other."""
    place = locate(namespace, key)
    return place is None or place.kind in _KNOWN


def exact(told: Iterable[Told]) -> Iterator[Alike]:
    """Of each set with equal texts, all but the one that stays; in order of number."""
    sets: dict[bytes, list[Told]] = {}
    for one in told:
        sets.setdefault(one.text, []).append(one)
    for same in sets.values():
        if len(same) > 1:
            yield from led(same, EXACT)


def led(same: Iterable[Told], similarity: float) -> Iterator[Alike]:
    """All of a set but the one that stays, each with the name of that one."""
    keeper, *extras = sorted(same, key=lambda one: one.rank)
    path = f"{keeper.namespace}/{keeper.key}"
    for one in sorted(extras, key=lambda one: one.seq):
        yield Alike(one.seq, keeper.seq, path, similarity)
