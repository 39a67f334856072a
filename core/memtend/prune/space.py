"""Strategy *space*: where an agent or the store is over its limit, the lowest value goes first.

The order is total. First what is known to be worth less than `unknown_before`, the least first;
then what nothing is known of, the least important, the least read and the longest untouched first;
then the rest of what is known. Taken is what comes first in this order, without exception, until
the low-water mark is reached. A value above `preserve_above` is never taken.

Here the records are shown; `taking` takes, when all have been.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from memtend.model.candidate import Candidate
    from memtend.model.prunepolicy import PrunePolicy
    from memtend.prune.lowest import Rank
    from memtend.prune.scopes import Scopes
    from memtend.prune.shields import Shields
    from memtend.prune.strategy import ValueOf

SPACE: Final = "space"
PRESERVED: Final = "high-value"


class Space:
    """Is shown every record that no other rule takes, and told what those rules free. Where
    nothing can be over, nothing is looked at."""

    def __init__(
        self, policy: PrunePolicy, value_of: ValueOf, shields: Shields, scopes: Scopes
    ) -> None:
        self._unknown_before = policy.unknown_before
        self._preserve_above = policy.preserve_above
        self._value_of = value_of
        self._shields = shields
        self._of = scopes.of
        self._by_agent = scopes.by_agent
        self._everywhere = scopes.everywhere

    def freed(self, candidate: Candidate, freed_bytes: int) -> None:
        """Another rule takes it, or makes it smaller: it is not offered any more."""
        for scope in self._of(candidate.agent):
            scope.seen += candidate.size_bytes
            scope.freed += freed_bytes

    def kept(self, candidate: Candidate, shield: str, *, named: bool = False) -> None:
        """`named` says that it was counted already, since a rule named it."""
        for scope in self._of(candidate.agent):
            scope.seen += candidate.size_bytes
            scope.kept[shield] += 1
            if named:
                scope.kept_from_rules[shield] += 1

    def offer(self, candidate: Candidate) -> None:
        scopes = self._of(candidate.agent) if self._by_agent else self._everywhere
        if not scopes:
            return
        if shield := self._shields.over(candidate):
            self.kept(candidate, shield)
            return
        score = self._value_of(candidate)
        if score is not None and score > self._preserve_above:
            self.kept(candidate, PRESERVED)
            return
        rank = self._rank(candidate, score)
        for scope in scopes:
            scope.seen += candidate.size_bytes
            scope.lowest.add(rank, score, candidate)

    def _rank(self, candidate: Candidate, score: float | None) -> Rank:
        """By what lies beside the value: what the item itself says of its times need not be read
        to tell apart what is worth the same. An import keeps when an item was made."""
        if score is None:
            place, level = 1, candidate.importance
        else:
            place, level = (0 if score < self._unknown_before else 2), score
        last_ms = candidate.written_ms
        if candidate.read_ms is not None and candidate.read_ms > last_ms:
            last_ms = candidate.read_ms
        return place, level, candidate.accesses, last_ms, candidate.created_ms, candidate.seq
