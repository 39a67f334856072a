"""Which records to prune, by which rule and why. Pure: the same arguments give the same plan.

Each record gets at most one decision: that of the first strategy that would take it. What a shield
keeps gets none, and is counted. Applied to what an applied plan leaves, the plan is empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from pydantic import Field

from memtend.model.plan import Decision, Plan

if TYPE_CHECKING:
    from memtend.model.candidate import Alike, Candidate
    from memtend.model.facts import Facts
    from memtend.model.prunepolicy import PrunePolicy


class PruneDecision(Decision, frozen=True, extra="forbid"):
    """`rule` is `strategy.name`. DELETE is archived first; ARCHIVE only makes the record cold.

    `score` is the value of the record, 0..1, where the rule went by it; None where nothing is known
    of it. `merge_into` is the number of the record that says the same and stays; 0 for none.
    """

    rule: str
    strategy: str
    score: float | None = None
    agent: str | None = None
    kind: str = ""
    merge_into: int = 0


class PrunePlan(Plan, frozen=True, extra="forbid"):
    """`shielded` counts records that a rule named and a shield kept, by shield. `target_bytes` is
    what space was to be freed beyond what the other rules free, None where nothing is over."""

    decisions: tuple[PruneDecision, ...] = ()
    profile: str = "default"
    shielded: dict[str, int] = Field(default_factory=dict)
    considered: int = 0
    target_bytes: int | None = None
    notes: tuple[str, ...] = ()


def plan_prune(
    candidates: Iterable[Candidate],
    policy: PrunePolicy,
    facts: Facts,
    now_ms: int,
    *,
    strategies: Collection[str] | None = None,
    alike: Iterable[Alike] = (),
    missed: Collection[tuple[str, str]] = (),
    agent_bytes: Mapping[str, int] | None = None,
) -> PrunePlan:
    """Raises `StrategyUnknown`. `missed` are records that were pruned, asked for and came back.

    `agent_bytes` is what each agent holds, where the store knows; else the candidates are summed.
    """
    return PrunePlan(
        operation="prune",
        store_id=facts.store_id,
        made_at=facts.at,
        basis=facts.seq,
        total=facts.records,
        profile=policy.profile,
    )
