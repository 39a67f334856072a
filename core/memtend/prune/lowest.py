"""The records that go first, kept while all pass by: about as many as are needed, and no more.

So what pruning holds in memory is what it may take, not what the store has.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.prune.known import used_ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtend.model.candidate import Candidate

    Rank = tuple[int, float, int]

_SPARE: Final = 4_096
"""So many more are collected before those that are not needed are let go."""


class Offer(NamedTuple):
    """`rank` says how soon it goes, smaller sooner."""

    rank: Rank
    score: float | None
    candidate: Candidate


class Lowest:
    """Those of lowest rank that together take `need_bytes`; all of them where that is None."""

    def __init__(self, need_bytes: int | None) -> None:
        self._need_bytes = need_bytes
        self._offers: list[Offer] = []
        self._trim_at = _SPARE

    def add(self, offer: Offer) -> None:
        self._offers.append(offer)
        if len(self._offers) >= self._trim_at and self._need_bytes is not None:
            self._trim(self._need_bytes)

    def in_order(self) -> Iterator[Offer]:
        """What goes first comes first; of equal rank the longest unused.

        Use is looked up only among equals: to know it, the value of a record may have to be read.
        """
        self._offers.sort(key=_BY_RANK)
        for _, equals in groupby(self._offers, key=_BY_RANK):
            first, *others = equals
            yield from sorted((first, *others), key=_by_use) if others else (first,)

    def _trim(self, need_bytes: int) -> None:
        """Twice what is kept may come before the next time, so each record is sorted few times."""
        kept: list[Offer] = []
        for offer in self.in_order():
            if need_bytes <= 0:
                break
            need_bytes -= offer.candidate.size_bytes
            kept.append(offer)
        self._offers = kept
        self._trim_at = 2 * len(kept) + _SPARE


_BY_RANK: Final = itemgetter(0)


def _by_use(offer: Offer) -> tuple[int, int]:
    return used_ms(offer.candidate), offer.candidate.seq
