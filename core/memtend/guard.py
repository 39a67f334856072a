"""The guard: the only way from a plan to a deed.

`Cleared` is a capability. Nothing that deletes takes anything less, and `clear` makes one only
from a plan that is fresh, modest enough and held under a lease.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from memtend.errors import (
    ClockAlarmed,
    DeletesTooMuch,
    PlanForeign,
    PlanStale,
    PruneUnapproved,
    TtlPlanStale,
)
from memtend.limits import SWEEP_ROWS_FREE, SWEEP_SHARE_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtend.model.facts import Facts
    from memtend.model.lease import Lease
    from memtend.model.plan import Plan
    from memtend.model.pruned import Excess

_MADE_HERE = object()


class Safety(BaseModel, frozen=True, extra="forbid"):
    """How much one plan may delete without somebody raising the limit on purpose.

    Up to `delete_rows_free` rows pass whatever their share: in a small store a quarter is little.
    """

    delete_share_max: float = Field(default=SWEEP_SHARE_MAX, ge=0, le=1)
    delete_rows_free: int = Field(default=SWEEP_ROWS_FREE, ge=0)


class Cleared:
    """A plan that may be carried out, and the lease under which."""

    __slots__ = ("lease", "plan")

    def __init__(self, plan: Plan, lease: Lease, proof: object) -> None:
        if proof is not _MADE_HERE:
            raise TypeError("only clear() makes a Cleared")
        self.plan = plan
        self.lease = lease


def clear(plan: Plan, *, lease: Lease, facts: Facts, safety: Safety) -> Cleared:
    """Refuse a plan of another store, from the future, under a clock alarm, or too large.

    A row that changed since the plan was made is no reason to refuse: its sequence number is gone,
    so it is skipped and counted. A store that went back in time is.
    """
    _check_fresh(plan, facts)
    deletions = len(plan.to_delete())
    if deletions > safety.delete_rows_free and plan.delete_share > safety.delete_share_max:
        raise DeletesTooMuch(
            operation=plan.operation,
            share=plan.delete_share,
            total=plan.total,
            limit=safety.delete_share_max,
        )
    return Cleared(plan, lease, _MADE_HERE)


def clear_prune(
    plan: Plan, *, lease: Lease, facts: Facts, excess: Sequence[Excess], approved: bool
) -> Cleared:
    """The same for a prune: what exceeds a namespace's share of a day needs somebody's approval."""
    _check_fresh(plan, facts)
    if excess and not approved:
        raise PruneUnapproved(**max(excess, key=lambda one: one.planned).model_dump())
    return Cleared(plan, lease, _MADE_HERE)


def clear_ttl(
    plan: Plan, *, lease: Lease, facts: Facts, planned_for: str, policies: str
) -> Cleared:
    """A plan of times to live is for the policies of one digest, and for no others."""
    _check_fresh(plan, facts)
    if planned_for != policies:
        raise TtlPlanStale
    return Cleared(plan, lease, _MADE_HERE)


def refuse_foreign(plan: Plan, facts: Facts) -> None:
    """Raises `PlanForeign`, `PlanStale`: such a plan need not even be rehearsed."""
    if plan.store_id != facts.store_id:
        raise PlanForeign(operation=plan.operation, what="store")
    if plan.basis > facts.seq:
        raise PlanStale(operation=plan.operation, planned=plan.basis, current=facts.seq)


def _check_fresh(plan: Plan, facts: Facts) -> None:
    refuse_foreign(plan, facts)
    if facts.clock_alarm_ms is not None:
        raise ClockAlarmed(operation=plan.operation, error_s=facts.clock_alarm_ms / 1_000)
