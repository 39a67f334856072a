"""What has a limit of its own, the store or an agent: what it holds, and who goes first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel

from memtend.limits import MIB
from memtend.prune.lowest import Lowest, Offer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from memtend.model.prunepolicy import PrunePolicy


class ScopePart(BaseModel, frozen=True, extra="forbid"):
    """What was met of a scope; `agent` None for the store. `offers` go in this order."""

    agent: str | None
    seen: int
    freed: int
    kept: dict[str, int]
    kept_from_rules: dict[str, int]
    offers: tuple[Offer, ...]


class Mark(NamedTuple):
    """Above `limit` space is made, down to `low`."""

    limit: int
    low: int


class Scope:
    """`held` is what the whole of it takes, None where that is only known once all was seen.

    `kept` counts what is shielded, `kept_from_rules` those of them that other rules named too.
    """

    def __init__(self, agent: str | None, mark: Mark, held: int | None) -> None:
        self.name = "the store" if agent is None else f"agent {agent}"
        self.seen = 0
        self.freed = 0
        self.kept: Counter[str] = Counter()
        self.kept_from_rules: Counter[str] = Counter()
        self.lowest = Lowest(None if held is None else max(0, held - mark.low))
        self._agent = agent
        self._mark = mark
        self._held = held

    @property
    def need_bytes(self) -> int:
        """What is still to be freed; 0 where it is not over its limit."""
        left = self._left()
        return left - self._mark.low if left > self._mark.limit else 0

    def told(self) -> ScopePart:
        return ScopePart.model_construct(
            agent=self._agent, seen=self.seen, freed=self.freed, kept=dict(self.kept),
            kept_from_rules=dict(self.kept_from_rules), offers=self.lowest.in_order(),
        )  # fmt: skip

    def hear(self, part: ScopePart) -> None:
        """Add what was met of it elsewhere. Each part has offered as much as would be needed of it
        alone, so what is needed of all is among the offers."""
        self.seen += part.seen
        self.freed += part.freed
        self.kept.update(part.kept)
        self.kept_from_rules.update(part.kept_from_rules)
        self.lowest.hear(part.offers)

    def why(self) -> str:
        return f"{self.name} holds {_size(self._left())}, more than {_size(self._mark.limit)}"

    def note(self, need_bytes: int) -> str:
        kept = ", ".join(f"{count:,} {word}" for word, count in sorted(self.kept.items()))
        short = f"{self.name} stays {_size(need_bytes)} above its low-water mark"
        return f"{short}: what else it holds is shielded ({kept})" if kept else short

    def _left(self) -> int:
        return (self.seen if self._held is None else self._held) - self.freed


class Scopes:
    """Those that may be over their limits.

    `agent_bytes` is what each agent holds. Without it that is summed up, which only sees the
    records that are shown.
    """

    def __init__(
        self, policy: PrunePolicy, store_bytes: int, agent_bytes: Mapping[str, int] | None
    ) -> None:
        self._agent_bytes = policy.agent_bytes
        self._low_water = policy.low_water
        self.store = self._over(None, policy.store_bytes, store_bytes)
        self.everywhere = () if self.store is None else (self.store,)
        self.agents: dict[str, Scope] = {}
        self._summed = agent_bytes is None and store_bytes > (policy.agent_bytes or store_bytes)
        for agent, held in (agent_bytes or {}).items():
            if scope := self._over(agent, policy.agent_bytes, held):
                self.agents[agent] = scope
        self.by_agent = bool(self.agents) or self._summed

    @property
    def is_idle(self) -> bool:
        return self.store is None and not self.by_agent

    def of(self, agent: str | None) -> tuple[Scope, ...]:
        """All in which a record of this agent counts."""
        if agent is None or not self.by_agent:
            return self.everywhere
        own = self.agents.get(agent) or self._begun(agent)
        return self.everywhere if own is None else (own, *self.everywhere)

    def told(self) -> tuple[ScopePart, ...]:
        return tuple(one.told() for one in (*self.everywhere, *self.agents.values()))

    def hear(self, parts: Iterable[ScopePart]) -> None:
        for part in parts:
            if part.agent is None:
                scope = self.store
            else:
                scope = self.agents.get(part.agent) or self._begun(part.agent)
            if scope is not None:
                scope.hear(part)

    def _begun(self, agent: str) -> Scope | None:
        if not self._summed or self._agent_bytes is None:
            return None
        self.agents[agent] = Scope(agent, self._mark(self._agent_bytes), None)
        return self.agents[agent]

    def _over(self, agent: str | None, limit: int | None, held: int) -> Scope | None:
        """None where it is not over its limit."""
        return None if limit is None or held <= limit else Scope(agent, self._mark(limit), held)

    def _mark(self, limit: int) -> Mark:
        return Mark(limit, int(limit * self._low_water))


def _size(count: int) -> str:
    return f"{count / MIB:,.1f} MiB" if count >= MIB else f"{count:,} bytes"
