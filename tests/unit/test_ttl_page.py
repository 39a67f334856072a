"""Proposed times to live in words: from what to what, what it costs, and on what that rests."""

from __future__ import annotations

from datetime import UTC, datetime

from memtend.learn.tuning.plan import OPERATION, Range, TtlDecision, TtlPlan
from memtend.model.plan import Action
from memtend.model.policy import Policy
from memtend_tasks.planpage import decisions, details, headline, touched
from memtend_tasks.plans import KINDS

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
DAY_MS = 24 * 3_600_000


def decided(pattern: str, ttl_ms: int | None, reason: str) -> TtlDecision:
    figures = {
        "bytes": Range(low=-4096, value=-2048, high=-1024),
        "misses": Range(low=0.1, value=0.5, high=1.2),
    } if ttl_ms else {}  # fmt: skip
    return TtlDecision(
        action=Action.UPDATE if ttl_ms else Action.KEEP, namespace=pattern, key="", reason=reason,
        ttl_now_ms=7 * DAY_MS, ttl_ms=ttl_ms, rule=Policy(pattern=pattern), accesses=1_200,
        reused=700, **figures,
    )  # fmt: skip


def planned(*made: TtlDecision) -> TtlPlan:
    return TtlPlan(
        operation=OPERATION, store_id="s", made_at=NOON, basis=1, total=len(made), decisions=made,
        policies="0" * 64, accesses=2_400, from_ms=0, until_ms=DAY_MS, sampled=0.25,
        break_even_ms=6 * 3_600_000, canary_share=0.1, canary_ms=7 * DAY_MS, regret_max=0.05,
    )  # fmt: skip


def test_it_says_from_what_to_what_and_why() -> None:
    plan = planned(decided("b/*", None, "too few"), decided("a/*", DAY_MS, "seldom read <b>"))
    page = "\n".join([headline(plan), *details(plan)])
    assert "Gives **1 of 2** rules another time to live, each tried on 10% of its keys" in page
    assert page.index("a/") < page.index("b/")
    assert "| 7d | 1d | -2.0 KiB (-4.0 KiB to -1.0 KiB) | +0.5 (+0.1 to +1.2) | 1,200 |" in page
    assert "as it is" in page
    assert "more than 5% of the reads" in page
    assert "| share of the keys | 25.00% |" in page
    assert "<b>" not in page
    assert touched(plan) == 1
    assert decisions(plan)[0]["proposed"] in ("", "1d")


def test_where_nothing_is_known_it_says_so() -> None:
    assert details(planned())[0].startswith("Nobody has read or written")


def test_its_plan_is_found_again() -> None:
    assert KINDS[OPERATION] is TtlPlan
