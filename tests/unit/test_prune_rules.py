"""Every rule at its edge: what it takes, and what lies just beside it and stays."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from memtend.model.candidate import Candidate
from memtend.model.plan import Action
from memtend.prune.plan import PruneDecision, PrunePlan
from memtend.upcast.facts import Outcome
from tests.fixtures.candidates import NOW_MS, PLAIN, ago, decide, item, plan

BAD: dict[str, Any] = {"success_rate": 0.1, "executions": 2}


def pattern(days: float, *, ms: int = 0, **facts: Any) -> Candidate:
    """Last used so many days ago, and so many milliseconds later than that."""
    return item("pattern", facts={"last_used_ms": ago(days, ms), **facts})


def decision(**facts: Any) -> Candidate:
    return item("decision", facts=facts)


def solution(**facts: Any) -> Candidate:
    return item("solution", facts=facts)


def outcome(again: bool | None) -> Outcome:
    return Outcome(would_repeat=again, measured={"speed": -0.9}, lessons=())


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        # patterns unused for 90 days
        (pattern(90), "time.unused-patterns"),
        (pattern(90, ms=1), None),
        (pattern(400)._replace(read_ms=ago(90)), "time.unused-patterns"),
        (pattern(400)._replace(read_ms=ago(90, ms=1)), None),
        (pattern(400)._replace(kind="note"), None),
        (pattern(0, last_used_ms=None, created_ms=ago(90)), "time.unused-patterns"),
        (pattern(0, last_used_ms=None, created_ms=ago(90, ms=1)), None),
        (PLAIN._replace(kind="pattern", written_ms=ago(90)), "time.unused-patterns"),
        (PLAIN._replace(kind="pattern", written_ms=ago(90, ms=1)), None),
        # decisions older than 180 days
        (decision(created_ms=ago(180)), "time.old-decisions"),
        (decision(created_ms=ago(180, ms=1)), None),
        (decision(created_ms=ago(180))._replace(archived=True), None),
        (PLAIN._replace(kind="decision", created_ms=ago(180)), "time.old-decisions"),
        (PLAIN._replace(kind="decision", created_ms=ago(180, ms=1)), None),
        (decision(created_ms=ago(180))._replace(kind="solution"), None),
        # patterns that failed, 30 days later
        (pattern(30, **BAD), "time.failed-patterns"),
        (pattern(30, ms=1, **BAD), None),
        (pattern(30, success_rate=0.2, executions=2), None),
        (pattern(30, success_rate=0.1, executions=0), None),
        (pattern(30, success_rate=0.1), None),
        (pattern(30, executions=2), None),
        (pattern(30, active=False), "time.failed-patterns"),
        (pattern(30, ms=1, active=False), None),
        (pattern(30)._replace(success_count=0, failure_count=1), "time.failed-patterns"),
        (pattern(30)._replace(success_count=0, failure_count=0), None),
        (pattern(30)._replace(success_count=0), None),
    ],
)  # fmt: skip
def test_time(record: Candidate, rule: str | None) -> None:
    assert decided(record) == rule


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        # success below 20 %, known from at least 3 executions
        (pattern(0, success_rate=0.199, executions=3), "performance.low-success"),
        (pattern(0, success_rate=0.2, executions=3), None),
        (pattern(0, success_rate=0.199, executions=2), None),
        (pattern(0, success_rate=0.0), None),
        (pattern(0, executions=9), None),
        (PLAIN._replace(success_count=0, failure_count=3), "performance.low-success"),
        (PLAIN._replace(success_count=1, failure_count=4), None),
        (PLAIN._replace(success_count=0, failure_count=2), None),
        (PLAIN._replace(success_count=0), None),
        (PLAIN._replace(failure_count=9), None),
        # of labels and value, the one that saw more executions
        (pattern(0, success_rate=0.9, executions=9)._replace(success_count=0, failure_count=10),
         "performance.low-success"),
        (pattern(0, success_rate=0.9, executions=10)._replace(success_count=0, failure_count=10),
         None),
        # confidence below 0.15
        (pattern(0, confidence=0.149, executions=3), "performance.low-confidence"),
        (pattern(0, confidence=0.15, executions=3), None),
        (pattern(0, confidence=0.149, executions=2), None),
        (pattern(0, confidence=0.149), None),
        (PLAIN._replace(confidence=0.1, success_count=3, failure_count=0),
         "performance.low-confidence"),
        # solutions that no longer apply
        (solution(worked=False), "performance.obsolete-solutions"),
        (solution(active=False), "performance.obsolete-solutions"),
        (solution(worked=True), None),
        (solution(), None),
        (solution(worked=False)._replace(kind="note"), None),
        # decisions with a negative outcome
        (decision(outcome=outcome(again=False)), "performance.negative-decisions"),
        (decision(outcome=outcome(again=False))._replace(archived=True), None),
        (decision(outcome=outcome(again=True)), None),
        (decision(outcome=outcome(again=None)), None),
        (decision(), None),
        (decision(success_rate=0.0, executions=9, confidence=0.0), None),
        (solution(outcome=outcome(again=False)), None),
    ],
)  # fmt: skip
def test_performance(record: Candidate, rule: str | None) -> None:
    assert decided(record) == rule


def decided(record: Candidate) -> str | None:
    found = decide(record)
    return found.rule if found else None


@pytest.mark.parametrize(
    ("switched", "record"),
    [
        ("unused_patterns_ms", pattern(90)),
        ("old_decisions_ms", decision(created_ms=ago(180))),
        ("failed_patterns_ms", pattern(30, **BAD)),
        ("success_below", PLAIN._replace(success_count=0, failure_count=3)),
        ("confidence_below", pattern(0, confidence=0.1, executions=3)),
    ],
)
def test_none_switches_a_rule_off(switched: str, record: Candidate) -> None:
    assert decide(record) is not None
    assert decide(record, **{switched: None}) is None


def test_flags_switch_a_rule_off() -> None:
    assert decide(solution(worked=False), obsolete_solutions=False) is None
    assert decide(decision(outcome=outcome(again=False)), negative_decisions=False) is None


def test_decisions_are_archived_and_the_rest_deleted() -> None:
    for record in (decision(created_ms=ago(180)), decision(outcome=outcome(again=False))):
        found = decide(record)
        assert found is not None
        assert found.action is Action.ARCHIVE
    found = decide(pattern(90))
    assert found is not None
    assert found.action is Action.DELETE
    assert found.reason == "not used for 90 days"
    assert (found.strategy, found.agent, found.kind) == ("time", "a", "pattern")
    assert (found.score, found.merge_into, found.size_bytes) == (None, 0, 1_000)


def test_a_plan_is_saved_and_loaded_as_it_was_made() -> None:
    """Decisions are made without a look at each field, so that look is taken here."""
    made = plan([pattern(90), decision(created_ms=ago(180))._replace(seq=8, agent=None)])
    assert len(made.decisions) == 2
    assert PrunePlan.model_validate_json(made.model_dump_json()) == made
    assert PruneDecision.model_validate(made.decisions[0].model_dump()) == made.decisions[0]
    assert made.decisions[0].model_copy(update={"key": "other"}).key == "other"
    assert {made.decisions[0]: 1}[made.decisions[0]] == 1
    with pytest.raises(ValidationError, match="frozen"):
        setattr(made.decisions[0], "key", "other")  # noqa: B010


@pytest.mark.parametrize(("left_ms", "rule"), [(-1, None), (0, None), (1, "time.unused-patterns")])
def test_what_has_expired_is_the_sweeps(left_ms: int, rule: str | None) -> None:
    assert decided(pattern(90)._replace(expires_ms=NOW_MS + left_ms)) == rule


def test_what_ends_soon_is_not_archived_first() -> None:
    old = decision(created_ms=ago(180))
    assert decided(old._replace(expires_ms=NOW_MS + 1)) is None
    assert decided(old._replace(expires_ms=ago(-400))) == "time.old-decisions"


def test_the_first_strategy_that_would_take_a_record_does() -> None:
    failed = pattern(200, success_rate=0.1, executions=9)
    assert decided(failed) == "performance.low-success"
    found = decide(failed, strategies=("time",))
    assert found is not None
    assert found.rule == "time.unused-patterns"
