"""Which records are cold: each condition at its edge, priorities, and the section of the file."""

from __future__ import annotations

from typing import Any

import pytest

from memtend.archive.plan import ArchiveDecision, plan_archive
from memtend.clock import to_datetime
from memtend.errors import InvalidPolicy
from memtend.limits import ARCHIVE_RULES_MAX
from memtend.model.archiverule import DEFAULT_RULES, ArchivePolicy, ArchiveRule
from memtend.model.facts import Facts
from memtend.model.policyfile import PolicyFile
from memtend.model.usage import Usage
from memtend.policies import dump_policies, load_policies

DAY_MS = 24 * 3_600_000
NOW_MS = 1_800_000_000_000
FACTS = Facts(store_id="5" * 32, at=to_datetime(NOW_MS), seq=9, records=100, bytes=1)
FRESH = Usage(
    seq=7, namespace="a/b", key="k", kind="note", importance=0.5, created_ms=NOW_MS,
    written_ms=NOW_MS, expires_ms=None, read_ms=None, accesses=0, text_bytes=1_000,
    value_bytes=1_000, row_bytes=1_100,
)  # fmt: skip


def aged(days: float, **more: Any) -> Usage:
    """Written and created so many days ago."""
    then = NOW_MS - int(days * DAY_MS)
    return FRESH._replace(created_ms=then, written_ms=then)._replace(**more)


def decide(row: Usage, *rules: ArchiveRule) -> ArchiveDecision | None:
    policy = ArchivePolicy(rules=rules) if rules else ArchivePolicy()
    plan = plan_archive([row], policy, FACTS, NOW_MS)
    assert plan.basis == FACTS.seq
    return plan.decisions[0] if plan.decisions else None


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (FRESH, None),
        (aged(91, importance=0.29, accesses=9, read_ms=NOW_MS), "old"),
        (aged(90, importance=0.29, accesses=9, read_ms=NOW_MS), None),
        (aged(91, importance=0.3, accesses=9, read_ms=NOW_MS), None),
        (aged(31, accesses=1), "unread"),
        (aged(30, accesses=1), None),
        (aged(31, accesses=2), None),
        (aged(31, accesses=1, read_ms=NOW_MS - 29 * DAY_MS), None),
        (aged(11, text_bytes=10_001), "large"),
        (aged(11, text_bytes=10_000), None),
        (aged(9, text_bytes=10_001), None),
        (aged(11, text_bytes=10_001, accesses=1), "large"),
        (aged(11, text_bytes=10_001, accesses=2), None),
        (aged(91, importance=0.1, text_bytes=20_000), "old"),
        (aged(91, importance=0.9, text_bytes=20_000), "unread"),
        (aged(91, importance=0.1, value_bytes=255), None),
        (aged(91, importance=0.1, expires_ms=NOW_MS + 7 * DAY_MS - 1), None),
        (aged(91, importance=0.1, expires_ms=NOW_MS + 7 * DAY_MS), "old"),
    ],
)
def test_the_built_in_rules(row: Usage, rule: str | None) -> None:
    """In their order: old and unimportant, unread, large and rarely read; each at its edge."""
    decision = decide(row)
    assert (decision and decision.rule) == rule


def test_a_decision_says_which_rule_and_why() -> None:
    decision = decide(aged(100, importance=0.1))
    assert decision is not None
    assert (decision.rule, decision.level, decision.seq) == ("old", 19, 7)
    assert decision.reason == "not written for 100 days, importance 0.1 < 0.3"
    unread = decide(aged(40, accesses=1))
    assert unread is not None
    assert unread.reason == "not read for 40 days, 1 reads in all"
    large = decide(aged(20, text_bytes=12_345, accesses=1))
    assert large is not None
    assert large.reason == "12,345 bytes, 0.05 reads a day"


def test_the_highest_priority_decides_and_among_equals_the_first() -> None:
    one = ArchiveRule(name="one", older_than_ms=1, level=1)
    two = ArchiveRule(name="two", older_than_ms=1, level=2)
    three = ArchiveRule(name="three", older_than_ms=1, level=3, priority=1)
    named = ArchiveRule(name="named", namespace="other/**", older_than_ms=1, priority=9)
    for rules, wanted in (
        ((one, two), "one"), ((two, one), "two"), ((one, two, three), "three"),
        ((one, named), "one"),
    ):  # fmt: skip
        decision = decide(aged(1), *rules)
        assert decision is not None
        assert decision.rule == wanted


def test_a_rule_without_a_condition_is_refused() -> None:
    with pytest.raises(InvalidPolicy, match="no condition"):
        ArchiveRule(name="everything")
    with pytest.raises(InvalidPolicy, match="twice"):
        ArchivePolicy(rules=(DEFAULT_RULES[0], DEFAULT_RULES[0]))


FILE = """
archive:
  keep: 60d
  rules:
    - {name: old, older_than: 120d, importance_below: 0.2, level: 19, priority: 2}
    - {name: logs, namespace: "log/**", unread_for: 7d, accesses_below: 3}
    - {name: big, larger_than: 10kB, accesses_a_day_below: 0.5}
"""


def test_the_section_of_a_policy_file() -> None:
    archive = load_policies(FILE).archive
    assert archive.keep_ms == 60 * DAY_MS
    assert archive.rules == (
        ArchiveRule(
            name="old", older_than_ms=120 * DAY_MS, importance_below=0.2, level=19, priority=2
        ),
        ArchiveRule(name="logs", namespace="log/**", unread_for_ms=7 * DAY_MS, accesses_below=3),
        ArchiveRule(name="big", larger_than_bytes=10_000, accesses_a_day_below=0.5),
    )
    assert load_policies("archive: {keep: 31d}").archive.rules == DEFAULT_RULES


@pytest.mark.parametrize("text", [FILE, "archive: {rules: []}", "quotas: {}"])
def test_what_is_written_reads_back(text: str) -> None:
    file = load_policies(text)
    assert load_policies(dump_policies(file)) == file
    assert PolicyFile.model_validate_json(file.model_dump_json()) == file


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ("{older_than: 1d}", "'name' is missing"),
        ("{name: A B, older_than: 1d}", "small letters"),
        ("{name: a}", "needs a condition"),
        ("{name: a, older_than: soon}", "not a time"),
        ("{name: a, older_than: 1d, level: 20}", "20"),
        ("{name: a, larger_than: huge}", "a size"),
        ("{name: a, namespace: 'a//b', older_than: 1d}", "empty segment"),
        ("{name: a, accesses_a_day_below: 0}", "0"),
        ("{name: a, unread: 1d}", "unread"),
        ("{name: a, older_than: 1d}, {name: a, older_than: 2d}", "given before"),
    ],
)
def test_mistakes_in_rules_are_named(rules: str, why: str) -> None:
    with pytest.raises(InvalidPolicy, match=why):
        load_policies(f"archive:\n  rules: [{rules}]\n")


def test_there_is_a_limit_of_rules_and_a_least_time_to_keep() -> None:
    many = ", ".join(f"{{name: r{n}, older_than: 1d}}" for n in range(ARCHIVE_RULES_MAX + 1))
    with pytest.raises(InvalidPolicy, match="more than"):
        load_policies(f"archive: {{rules: [{many}]}}")
    with pytest.raises(InvalidPolicy, match="at least 31d"):
        load_policies("archive: {keep: 30d}")
