"""Which records to prune, by which rule and why. Pure: the same arguments give the same plan.

Each record gets at most one decision: that of the first strategy that would take it. What a shield
keeps gets none, and is counted. What an applied plan leaves, the next one leaves too; only where
space is still wanting may it take what this one archived, or what took over duplicates.
"""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from memtend.errors import StrategyUnknown
from memtend.limits import PLAN_DECISIONS_MAX
from memtend.model.plan import Decision, Plan
from memtend.model.prunepolicy import STRATEGIES
from memtend.prune.choosing import Chooser
from memtend.prune.known import MEASURED
from memtend.upcast.family import AML

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from memtend.model.candidate import Alike, Candidate
    from memtend.model.facts import Facts
    from memtend.model.prunepolicy import PrunePolicy
    from memtend.prune.choosing import Chosen
    from memtend.prune.strategy import ValueOf


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


def kinds_asked(policy: PrunePolicy, strategies: Collection[str] | None = None) -> frozenset[str]:
    """The kinds of which a plan asks what the items say of themselves: no others need be read."""
    wanted = policy.strategies if strategies is None else strategies
    if "performance" in wanted or ("value" in wanted and policy.value_below is not None):
        return AML.kinds
    asked = {"time": ("pattern", "decision"), "space": (MEASURED,)}
    return frozenset(chain.from_iterable(asked.get(name, ()) for name in wanted))


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
    value_of: ValueOf | None = None,
) -> PrunePlan:
    """Raises `StrategyUnknown`. `strategies` None takes those of the policy.

    `missed` are records that were pruned, asked for and came back. `agent_bytes` is what each agent
    holds, where the store knows; else the candidates are summed. `value_of` replaces the weighted
    value by a learned one.
    """
    wanted = policy.strategies if strategies is None else strategies
    if unknown := sorted(set(wanted) - set(STRATEGIES)):
        raise StrategyUnknown(name=unknown[0], known=", ".join(STRATEGIES))
    chooser = Chooser(
        policy, facts, now_ms, wanted, alike=alike, missed=missed, agent_bytes=agent_bytes,
        value_of=value_of,
    )  # fmt: skip
    decisions = tuple(islice(_decisions(chooser.choose(candidates)), PLAN_DECISIONS_MAX))
    return PrunePlan.model_construct(
        operation="prune",
        store_id=facts.store_id,
        made_at=facts.at,
        basis=facts.seq,
        total=facts.records,
        decisions=decisions,
        truncated=len(decisions) == PLAN_DECISIONS_MAX,
        profile=policy.profile,
        shielded=dict(sorted(chooser.shielded.items())),
        considered=chooser.considered,
        target_bytes=chooser.target_bytes,
        notes=tuple(chooser.notes),
    )


def _decisions(chosen: Iterator[Chosen]) -> Iterator[PruneDecision]:
    for one, strategy, verdict in chosen:
        yield _made({
            "action": verdict.action,
            "namespace": one.namespace,
            "key": one.key,
            "seq": one.seq,
            "reason": verdict.reason,
            "size_bytes": one.size_bytes,
            "rule": f"{strategy}.{verdict.rule}",
            "strategy": strategy,
            "score": verdict.score,
            "agent": one.agent,
            "kind": one.kind,
            "merge_into": verdict.merge_into,
        })  # fmt: skip


def _made(fields: dict[str, Any]) -> PruneDecision:
    """What `model_construct` does, without its look at each field: every one is given, and comes
    from the store. Of what a plan of many thousands costs, this is the largest part."""
    made = PruneDecision.__new__(PruneDecision)
    _SET(made, "__dict__", fields)
    _SET(made, "__pydantic_fields_set__", _ALL)
    _SET(made, "__pydantic_extra__", None)
    _SET(made, "__pydantic_private__", None)
    return made


_SET: Final = object.__setattr__
_ALL: Final = set(PruneDecision.model_fields)
