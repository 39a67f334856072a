"""Trials of times to live as they are shown: what is tried where, and how it went."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from memtend.model.plan import Report


class TrialState(StrEnum):
    """A canary is tried on a share of the keys; promoted, it holds for all, and is still watched.
    Replaced: somebody has set the rule to something else meanwhile."""

    CANARY = "canary"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled back"
    UNDONE = "undone"
    REPLACED = "replaced"


class TtlTrial(BaseModel, frozen=True, extra="forbid"):
    """`plan` is the digest by which it is undone. `ttl_before_ms` None is permanent. `seen` is what
    the last look that decided something found: shares and costs with their intervals."""

    id: str
    pattern: str
    state: TrialState
    plan: str
    ttl_before_ms: int | None
    ttl_ms: int
    share: float
    began_at: AwareDatetime
    until: AwareDatetime
    promoted_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    why: str = ""
    outcome: str = ""
    seen: dict[str, Any] = Field(default_factory=dict)


class TtlReport(Report, frozen=True, extra="forbid"):
    """What applying a plan did, or undoing it. `written` rules changed; `plan` undoes it.
    `former` and `now` are the policy files before and after, beside the plans."""

    plan: str
    trials: tuple[TtlTrial, ...] = ()
    former: str = ""
    now: str = ""


class TrialLook(BaseModel, frozen=True, extra="forbid"):
    """What one look at a trial found, and what was done: `verdict` and the reason."""

    trial: TtlTrial
    verdict: str
    why: str
    reads: int = 0
    reads_rest: int = 0
    regret: float = 0.0
    regret_low: float = 0.0
    regret_high: float = 1.0
    regret_rest: float = 0.0
    cost: float = 0.0
    cost_low: float = 0.0
    cost_high: float = 0.0
