"""A prune in words: by which rule, what a shield kept, and nothing that memory says is markup."""

from __future__ import annotations

from datetime import UTC, datetime

from memtend.model.plan import Action
from memtend.prune.plan import PruneDecision, PrunePlan
from memtend_tasks.planpage import decisions, details, headline, touched
from memtend_tasks.prunepage import undo_hint

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def decided(rule: str, n: int = 1, **more: object) -> PruneDecision:
    given = {"action": Action.DELETE, "namespace": "agent/ada", "reason": "unused", **more}
    return PruneDecision(key=f"k{n}", rule=rule, strategy=rule.partition(".")[0], **given)


def planned(*made: PruneDecision, **more: object) -> PrunePlan:
    given = {"store_id": "s", "made_at": NOON, "basis": 1, "total": 200, **more}
    return PrunePlan(operation="prune", decisions=made, **given)


def test_a_prune_says_what_goes_by_which_rule() -> None:
    plan = planned(
        decided("time.unused-patterns", 1, size_bytes=2048, score=0.25),
        decided("time.unused-patterns", 2, size_bytes=1024),
        decided("redundancy.exact", 3, merge_into=7),
        decided("time.old-decisions", 4, action=Action.ARCHIVE, agent="ada"),
        shielded={"pinned": 3},
        target_bytes=4096,
        notes=("the clock of `peer` is late",),
    )
    page = "\n".join([headline(plan), *details(plan)])
    assert "Prunes **3 of 200** records (1.5%), 3.0 KiB, by the profile `default`" in page
    assert "**1** more are made cold" in page
    assert "| time.unused-patterns | deleted | 2 | 3.0 KiB |" in page
    assert "| redundancy.exact | merged into another | 1 |" in page
    assert "| time.old-decisions | made cold | 1 |" in page
    assert "| pinned | 3 |" in page
    assert "4.0 KiB had to be freed" in page
    assert "the clock of `peer` is late" in page
    assert touched(plan) == 4
    assert [row["value"] for row in decisions(plan)] == ["0.25", "unknown", "unknown", "unknown"]
    assert decisions(plan)[-1]["agent"] == "ada"


def test_a_plan_of_nothing_says_so() -> None:
    page = "\n".join([headline(planned()), *details(planned(shielded={"important": 2}))])
    assert "**0 of 200**" in page
    assert "worth its place" in page
    assert "| important | 2 |" in page


def test_what_brings_it_back_stands_in_the_report() -> None:
    assert f"`memtend undo {'a' * 64}`" in undo_hint("a" * 64)
