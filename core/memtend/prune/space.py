"""Strategy *space*: where an agent or the store is over its limit, the lowest value goes first.

The order is total. First what is known to be worth less than `unknown_before`, the least first;
then what nothing is known of, the least important, the least read and the longest untouched first;
then the rest of what is known. Taken is what comes first in this order, without exception, until
the low-water mark is reached. A value above `preserve_above` is never taken.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from memtend.prune.scope import Mark, Scope
from memtend.prune.strategy import DELETE, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from memtend.model.candidate import Candidate
    from memtend.model.prunepolicy import PrunePolicy
    from memtend.prune.lowest import Offer, Rank
    from memtend.prune.shields import Shields
    from memtend.prune.strategy import ValueOf

PRESERVED: Final = "high-value"


class Space:
    """Is shown every record that no other rule takes, and told what those rules free.

    `agent_bytes` is what each agent holds. Without it that is summed up here, which only sees the
    records that are shown. Where nothing can be over, nothing is looked at.
    """

    name = "space"

    def __init__(
        self,
        policy: PrunePolicy,
        value_of: ValueOf,
        shields: Shields,
        store_bytes: int,
        agent_bytes: Mapping[str, int] | None,
    ) -> None:
        self._policy = policy
        self._unknown_before = policy.unknown_before
        self._preserve_above = policy.preserve_above
        self._value_of = value_of
        self._shields = shields
        self._store = _scope("the store", policy.store_bytes, policy.low_water, store_bytes)
        self._everywhere = () if self._store is None else (self._store,)
        self._agents: dict[str, Scope] = {}
        self._summed = agent_bytes is None and store_bytes > (policy.agent_bytes or store_bytes)
        for agent, held in (agent_bytes or {}).items():
            if scope := _scope(f"agent {agent}", policy.agent_bytes, policy.low_water, held):
                self._agents[agent] = scope
        self._by_agent = bool(self._agents) or self._summed
        self.target_bytes: int | None = None
        self.shielded: Counter[str] = Counter()
        self.notes: list[str] = []

    @property
    def is_idle(self) -> bool:
        return self._store is None and not self._agents and not self._summed

    def freed(self, candidate: Candidate, freed_bytes: int) -> None:
        """Another rule takes it, or makes it smaller: it is not offered any more."""
        for scope in self._scopes(candidate):
            scope.seen += candidate.size_bytes
            scope.freed += freed_bytes

    def kept(self, candidate: Candidate, shield: str, *, named: bool = False) -> None:
        """`named` says that it was counted already, since a rule named it."""
        for scope in self._scopes(candidate):
            scope.seen += candidate.size_bytes
            scope.kept[shield] += 1
            if named:
                scope.kept_from_rules[shield] += 1

    def offer(self, candidate: Candidate) -> None:
        scopes = self._scopes(candidate) if self._by_agent else self._everywhere
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

    def take(self) -> Iterator[tuple[Offer, Verdict]]:
        """What goes, after everything was shown: for the agents by name, then for the store."""
        taken: set[int] = set()
        for _, scope in sorted(self._agents.items()):
            for offer, verdict in self._from(scope, taken):
                if self._store is not None:
                    self._store.freed += offer.size_bytes
                yield offer, verdict
        counted, self.shielded = self.shielded, Counter()
        if self._store is not None:
            yield from self._from(self._store, taken)
        self.shielded |= counted  # what the store's limit met, the agents' limits met as well

    def _from(self, scope: Scope, taken: set[int]) -> Iterator[tuple[Offer, Verdict]]:
        if not (need := scope.need_bytes):
            return
        why = scope.why()
        self.target_bytes = (self.target_bytes or 0) + need
        self.shielded += scope.kept - scope.kept_from_rules
        for offer in scope.lowest.in_order():
            if need <= 0:
                return
            if offer.seq in taken:
                continue
            taken.add(offer.seq)
            need -= offer.size_bytes
            said = "of unknown value" if offer.score is None else f"value {offer.score:.2f}"
            yield offer, Verdict("lowest-value", DELETE, f"{said}; {why}", offer.score)
        if need > 0:
            self.notes.append(scope.note(need))

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

    def _scopes(self, candidate: Candidate) -> tuple[Scope, ...]:
        agent = candidate.agent
        if agent is None or not self._by_agent:
            return self._everywhere
        own = self._agents.get(agent)
        if own is None and self._summed and self._policy.agent_bytes is not None:
            mark = _mark(self._policy.agent_bytes, self._policy.low_water)
            own = self._agents[agent] = Scope(f"agent {agent}", mark, None)
        return self._everywhere if own is None else (own, *self._everywhere)


def _scope(name: str, limit: int | None, low_water: float, held: int) -> Scope | None:
    """None where it is not over its limit."""
    return None if limit is None or held <= limit else Scope(name, _mark(limit, low_water), held)


def _mark(limit: int, low_water: float) -> Mark:
    return Mark(limit, int(limit * low_water))
