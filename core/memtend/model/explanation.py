"""Why a record is as it is: which rule applies, when it ends, or why it is gone."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel

from memtend.model.policy import Policy


class Rule(BaseModel, frozen=True, extra="forbid"):
    pattern: str
    why: str


class Ending(BaseModel, frozen=True, extra="forbid"):
    """A deletion or sweep that the change log still remembers."""

    at: AwareDatetime
    why: str
    replica: str


class PrunedBy(BaseModel, frozen=True, extra="forbid"):
    """By which rule and plan it was pruned, and how often somebody has asked for it since."""

    rule: str
    plan: str
    at: AwareDatetime
    reads: int


class Explanation(BaseModel, frozen=True, extra="forbid"):
    """`state` is live, expired (not yet swept), quarantined, gone or unknown."""

    namespace: str
    key: str
    state: str
    policy: Policy
    rules: tuple[Rule, ...]
    ttl_from: str
    siblings: int = 0
    updated_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    writer: str | None = None
    endings: tuple[Ending, ...] = ()
    pruned: PrunedBy | None = None
