"""The records that go first, kept while all pass by: about as many as are needed, and no more.

So what pruning holds in memory is what it may take, not what the store has, and of that no value.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.limits import PLAN_DECISIONS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memtend.model.candidate import Candidate

Rank = tuple[int, float, int, int, int, int]
_SPARE: Final = 4_096
"""So many more are collected before those that are not needed are let go."""


class Offer(NamedTuple):
    """What a decision says of a record. `rank` says how soon it goes, smaller sooner; it ends in
    the number of the record, so no two are equal."""

    rank: Rank
    score: float | None
    seq: int
    namespace: str
    key: str
    kind: str
    agent: str | None
    size_bytes: int


BY_RANK: Final = itemgetter(0)
"""Of plain tuples it is told in half the time which comes first."""


class Lowest:
    """Those of lowest rank that together take `need_bytes`, all of them where that is None; and
    never more than one plan can name."""

    def __init__(self, need_bytes: int | None) -> None:
        self._need_bytes = need_bytes
        self._offers: list[Offer] = []
        self._trim_at = _SPARE
        self._last: Rank | None = None

    def add(self, rank: Rank, score: float | None, candidate: Candidate) -> None:
        if self._last is not None and rank > self._last:
            return  # as much as is needed goes before it
        self._offers.append(tuple.__new__(Offer, (
            rank, score, candidate.seq, candidate.namespace, candidate.key, candidate.kind,
            candidate.agent, candidate.size_bytes,
        )))  # fmt: skip
        if len(self._offers) >= self._trim_at:
            self._trim()

    def hear(self, offers: Iterable[Offer]) -> None:
        """Add what goes first elsewhere."""
        self._offers += offers
        self._trim()

    def in_order(self) -> tuple[Offer, ...]:
        """What goes first comes first."""
        self._trim()
        return tuple(self._offers)

    def _trim(self) -> None:
        """Twice what is kept may come before the next time, so each record is sorted few times."""
        offers, need_bytes = self._offers, self._need_bytes
        offers.sort(key=BY_RANK)
        count = min(len(offers), PLAN_DECISIONS_MAX)
        is_enough = count == PLAN_DECISIONS_MAX
        if need_bytes is not None:
            for place in range(count):
                if need_bytes <= 0:
                    count, is_enough = place, True
                    break
                need_bytes -= offers[place].size_bytes
            is_enough = is_enough or need_bytes <= 0
        del offers[count:]
        self._trim_at = 2 * count + _SPARE
        if is_enough and offers:
            self._last = offers[-1].rank
