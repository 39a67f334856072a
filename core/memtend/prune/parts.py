"""What a prune plan is joined from: see `model/frame.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.errors import StrategyUnknown
from memtend.model.frame import Frame, Part
from memtend.model.prunepolicy import STRATEGIES, PrunePolicy
from memtend.model.shard import WHOLE, Shard
from memtend.prune.decisions import PruneDecision
from memtend.prune.scopes import ScopePart, Scopes
from memtend.prune.space import SPACE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from memtend.model.facts import Facts


class PruneFrame(Frame, frozen=True, extra="forbid"):
    """`agent_bytes` is what each agent holds that may be over its limit; None where that is only
    summed up. `missed` are records that were pruned, asked for and came back."""

    policy: PrunePolicy
    strategies: tuple[str, ...]
    shards: tuple[Shard, ...] = (WHOLE,)
    agent_bytes: dict[str, int] | None = None
    missed: tuple[tuple[str, str], ...] = ()


class PrunePart(Part, frozen=True, extra="forbid"):
    """`plain` are decisions by rules that look at one record, `merges` those that another record
    takes over. What space is to be made is decided when all is known: `scopes` says what each limit
    has met, and what would go first."""

    plain: tuple[PruneDecision, ...]
    merges: tuple[PruneDecision, ...]
    scopes: tuple[ScopePart, ...]
    considered: int
    shielded: dict[str, int]
    unmerged: int
    near: int


def frame_of(
    policy: PrunePolicy,
    facts: Facts,
    now_ms: int,
    *,
    strategies: Collection[str] | None = None,
    shards: tuple[Shard, ...] = (WHOLE,),
    agent_bytes: Mapping[str, int] | None = None,
    missed: Iterable[tuple[str, str]] = (),
) -> PruneFrame:
    """Raises `StrategyUnknown`. `strategies` None takes those of the policy."""
    wanted = policy.strategies if strategies is None else strategies
    if unknown := sorted(set(wanted) - set(STRATEGIES)):
        raise StrategyUnknown(name=unknown[0], known=", ".join(STRATEGIES))
    limit = policy.agent_bytes
    over = None
    if agent_bytes is not None:  # the others have all the room they need
        over = {name: held for name, held in agent_bytes.items() if limit and held > limit}
    return PruneFrame(
        facts=facts, now_ms=now_ms, policy=policy, strategies=tuple(wanted), shards=shards,
        agent_bytes=over, missed=tuple(sorted(missed)),
    )  # fmt: skip


def scopes_of(frame: PruneFrame) -> Scopes | None:
    """What may be over its limit, where somebody asked for space and something may."""
    if SPACE not in frame.strategies:
        return None
    scopes = Scopes(frame.policy, frame.facts.bytes, frame.agent_bytes)
    return None if scopes.is_idle else scopes
