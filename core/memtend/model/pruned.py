"""What was pruned, as people read it: one prune, and how much of what went was missed."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel


class Pruned(BaseModel, frozen=True, extra="forbid"):
    """One prune. `plan` is the digest by which it is undone.

    `records` were deleted, `merged` of them because another record says the same, `archived` only
    became cold. `undone_at` is when all of it was brought back as far as that was possible.
    """

    plan: str
    at: AwareDatetime
    records: int
    bytes: int
    merged: int = 0
    archived: int = 0
    profile: str = ""
    approved: bool = False
    rules: dict[str, int] = {}
    namespaces: dict[str, int] = {}
    undone_at: AwareDatetime | None = None


class Regret(BaseModel, frozen=True, extra="forbid"):
    """Of what a rule pruned from a namespace: how many records, how many of them somebody asked for
    since, how often. `share` is missed of pruned, 0..1."""

    rule: str
    namespace: str
    pruned: int
    missed: int
    reads: int
    share: float


class Excess(BaseModel, frozen=True, extra="forbid"):
    """A namespace of which a plan would take more in a day than goes without approval."""

    namespace: str
    planned: int
    today: int
    records: int
    allowed: int
