"""Which records to prune, by which rule and why. Pure: the same arguments give the same plan.

Each record gets at most one decision: that of the first strategy that would take it. What a shield
keeps gets none, and is counted. What an applied plan leaves, the next one leaves too; only where
space is still wanting may it take what this one archived, or what took over duplicates.

A plan is joined from one part for each shard of the store. Rules look at one record, and duplicates
lie in one namespace, so a part decides on those itself; space is taken from all when all is known.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING

from memtend.limits import PLAN_DECISIONS_MAX
from memtend.model.frame import checked, foremost
from memtend.prune.choosing import Chooser
from memtend.prune.decisions import PruneDecision, PrunePlan, decided
from memtend.prune.known import MEASURED
from memtend.prune.parts import PruneFrame, PrunePart, frame_of, scopes_of
from memtend.prune.taking import Taking
from memtend.upcast.family import AML

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from memtend.model.candidate import Alike, Candidate
    from memtend.model.facts import Facts
    from memtend.model.prunepolicy import PrunePolicy
    from memtend.prune.strategy import ValueOf

__all__ = ["PruneDecision", "PrunePlan", "join", "kinds_asked", "look", "plan_prune"]


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
    frame = frame_of(
        policy, facts, now_ms, strategies=strategies, agent_bytes=agent_bytes, missed=missed
    )
    return join(frame, [look(candidates, frame, alike=alike, value_of=value_of)])


def look(
    candidates: Iterable[Candidate],
    frame: PruneFrame,
    shard: int = 0,
    *,
    alike: Iterable[Alike] = (),
    value_of: ValueOf | None = None,
    left_out: Mapping[str, int] | None = None,
) -> PrunePart:
    """What is found in one shard. `candidates` and `alike` are those of its namespaces; `left_out`
    counts what of it cannot be read, once they have been passed over."""
    chooser = Chooser(frame, alike, value_of)
    plain = foremost(decided(chooser.plain(candidates)), PLAN_DECISIONS_MAX)
    merges = foremost(decided(chooser.merges()), PLAN_DECISIONS_MAX)
    return PrunePart.model_construct(
        frame=frame.digest, shard=shard, plain=plain, merges=merges,
        scopes=chooser.scopes.told() if chooser.scopes else (),
        considered=chooser.considered, shielded=dict(chooser.shielded + Counter(left_out)),
        unmerged=chooser.unmerged, near=chooser.near,
    )  # fmt: skip


def join(frame: PruneFrame, parts: Iterable[PrunePart]) -> PrunePlan:
    """The plan of the whole store, from parts in the order of their shards; raises
    `PlanIncomplete`. No more of them than a plan can hold is kept."""
    taking = Taking(scopes_of(frame))
    plain, merges = list[PruneDecision](), list[PruneDecision]()
    shielded = Counter[str]()
    considered = unmerged = near = 0
    for part in checked("prune", frame, len(frame.shards), parts):
        taking.hear(part.scopes)
        plain += part.plain[: PLAN_DECISIONS_MAX - len(plain)]
        merges += part.merges[: PLAN_DECISIONS_MAX - len(merges)]
        shielded.update(part.shielded)
        considered += part.considered
        unmerged += part.unmerged
        near += part.near
    taken = decided(taking.take())
    decisions = tuple(islice(chain(plain, merges, taken), PLAN_DECISIONS_MAX))
    shielded += taking.shielded
    facts = frame.facts
    return PrunePlan.model_construct(
        operation="prune",
        store_id=facts.store_id,
        made_at=facts.at,
        basis=facts.seq,
        total=facts.records,
        decisions=decisions,
        truncated=len(decisions) == PLAN_DECISIONS_MAX,
        profile=frame.policy.profile,
        shielded=dict(sorted(shielded.items())),
        considered=considered,
        target_bytes=taking.target_bytes,
        notes=(*_notes(unmerged, near), *taking.notes),
    )


def _notes(unmerged: int, near: int) -> Iterator[str]:
    if unmerged:
        yield f"duplicates of what is gone or ends sooner, so they stay: {unmerged:,}"
    if near:
        yield f"near duplicates that the profile does not merge, so they stay: {near:,}"
