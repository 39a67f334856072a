"""The guard: what passes, what is refused, and that nothing goes around it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from memtend.errors import ClockAlarmed, DeletesTooMuch, PlanForeign, PlanStale
from memtend.guard import Cleared, Safety, clear
from memtend.model.facts import Facts
from memtend.model.lease import Fence, Lease
from memtend.model.plan import Action, Decision, Plan

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LEASE = Lease(resource="maintenance", holder="me", fence=Fence(0, 1), expires_at=NOON)


def plan(deletions: int, total: int, **changes: Any) -> Plan:
    made = [
        Decision(action=Action.DELETE, namespace="a", key=f"k{n}", seq=n, reason="expired")
        for n in range(1, deletions + 1)
    ]
    kept = Decision(action=Action.KEEP, namespace="a", key="kept", reason="by hand")
    facts = {"operation": "sweep", "store_id": "s", "made_at": NOON, "basis": 5, "total": total}
    return Plan(**(facts | changes), decisions=(*made, kept))


def facts(**changes: Any) -> Facts:
    known = {"store_id": "s", "at": NOON, "seq": 5, "records": 9, "bytes": 9}
    return Facts(**(known | changes))


@pytest.mark.parametrize(
    ("deletions", "total", "share_max", "rows_free", "passes"),
    [
        (0, 0, 0.25, 1_000, True),
        (5, 5, 0.25, 5, True),  # exactly the free rows, whatever their share
        (6, 6, 0.25, 5, False),  # one row over
        (6, 24, 0.25, 5, True),  # exactly the share
        (6, 23, 0.25, 5, False),
        (7, 24, 0.25, 5, False),
        (1, 100, 0.0, 0, False),
        (0, 100, 0.0, 0, True),
        (9, 9, 1.0, 0, True),
    ],
)
def test_how_much_may_go(
    deletions: int, total: int, share_max: float, rows_free: int, passes: bool
) -> None:
    made = plan(deletions, total)
    safety = Safety(delete_share_max=share_max, delete_rows_free=rows_free)
    if passes:
        cleared = clear(made, lease=LEASE, facts=facts(), safety=safety)
        assert (cleared.plan, cleared.lease) == (made, LEASE)
    else:
        with pytest.raises(DeletesTooMuch):
            clear(made, lease=LEASE, facts=facts(), safety=safety)


def test_the_default_limit_is_a_quarter_and_a_thousand_rows() -> None:
    clear(plan(1_000, 1_000), lease=LEASE, facts=facts(), safety=Safety())
    clear(plan(1_001, 4_004), lease=LEASE, facts=facts(), safety=Safety())
    with pytest.raises(DeletesTooMuch):
        clear(plan(1_001, 4_003), lease=LEASE, facts=facts(), safety=Safety())


@pytest.mark.parametrize(
    ("known", "error"),
    [
        ({"store_id": "other"}, PlanForeign),
        ({"seq": 4}, PlanStale),
        ({"clock_alarm_ms": 0}, ClockAlarmed),
        ({"clock_alarm_ms": -86_400_000}, ClockAlarmed),
    ],
)
def test_facts_that_refuse_every_plan(known: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        clear(plan(0, 0), lease=LEASE, facts=facts(**known), safety=Safety())


def test_the_plan_of_another_store_names_no_version() -> None:
    """Both may be of the same one, which would say nothing."""
    with pytest.raises(PlanForeign) as refused:
        clear(plan(0, 0), lease=LEASE, facts=facts(store_id="other"), safety=Safety())
    assert str(refused.value) == "the sweep plan was made for another store than this one"


def test_what_changed_since_is_no_reason_to_refuse() -> None:
    clear(plan(1, 1), lease=LEASE, facts=facts(seq=999), safety=Safety())


def test_nobody_else_makes_a_cleared() -> None:
    for proof in (None, object(), True, Cleared):
        with pytest.raises(TypeError):
            Cleared(plan(1, 1), LEASE, proof)
