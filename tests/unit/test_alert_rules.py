"""Every rule at its limit: on it nothing is wrong, a tick beyond it is; and what ends it again."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.alerting.finding import Look
from memtend.alerting.looking import look
from memtend.alerting.rules import AGENT, CACHE, QUERY, REGRET, RULES, STORE, Rule, judge
from memtend.limits import MIB
from memtend.model.alert import AlertLevel
from memtend.model.alertpolicy import AlertPolicy, Steps

INFO, WARNING, ERROR, CRITICAL = AlertLevel
DEFAULT = AlertPolicy()


class Fig(NamedTuple):
    """Of the shape of a figure."""

    name: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


class Said(NamedTuple):
    """Of the shape of a check of health."""

    name: str
    level: str
    fact: str = "fact"
    hint: str = "hint"


def looked(
    *figures: Fig,
    checks: list[Said] | None = None,
    held: dict[tuple[str, str], AlertLevel] | None = None,
) -> Look:
    return look([Fig("memtend_records", 1), *figures], checks, DEFAULT, held or {})


@pytest.mark.parametrize(
    ("rule", "value", "held", "level"),
    [
        (AGENT, 60 * MIB, None, None),
        (AGENT, 60 * MIB + 1, None, WARNING),
        (AGENT, 80 * MIB, None, WARNING),
        (AGENT, 80 * MIB + 1, None, ERROR),
        (STORE, 600 * MIB, None, None),
        (STORE, 600 * MIB + 1, None, WARNING),
        (STORE, 800 * MIB, None, WARNING),
        (STORE, 800 * MIB + 1, None, ERROR),
        (QUERY, 100.0, None, None),
        (QUERY, 100.1, None, WARNING),
        (CACHE, 0.5, None, None),
        (CACHE, 0.499, None, WARNING),
        (REGRET, 0.05, None, None),
        (REGRET, 0.051, None, WARNING),
        (REGRET, 0.21, None, ERROR),
        # what stands ends a tenth within its limit, level by level
        (AGENT, 54 * MIB + 1, WARNING, WARNING),
        (AGENT, 54 * MIB, WARNING, None),
        (AGENT, 72 * MIB + 1, ERROR, ERROR),
        (AGENT, 72 * MIB, ERROR, WARNING),
        (AGENT, 54 * MIB + 1, ERROR, WARNING),
        (AGENT, 79 * MIB, WARNING, WARNING),
        (CACHE, 0.549, WARNING, WARNING),
        (CACHE, 0.55, WARNING, None),
        (QUERY, 90.1, WARNING, WARNING),
        (QUERY, 90.0, WARNING, None),
    ],
)
def test_each_rule_at_its_limit(
    rule: Rule, value: float, held: AlertLevel | None, level: AlertLevel | None
) -> None:
    assert judge(rule, value, DEFAULT, held) is level


@given(st.floats(0, 1e12), st.sampled_from([None, *AlertLevel]), st.sampled_from(RULES))
def test_judging_again_changes_nothing(value: float, held: AlertLevel | None, rule: Rule) -> None:
    """The level of a value that stands is its level: looking twice is looking once."""
    level = judge(rule, value, DEFAULT, held)
    assert judge(rule, value, DEFAULT, level) is level
    fresh = judge(rule, value, DEFAULT, None)
    assert fresh is None or (level is not None and level.rank >= fresh.rank)


def test_a_level_that_is_none_never_comes() -> None:
    policy = AlertPolicy(agent_bytes=Steps(critical=1.0))
    assert judge(AGENT, 1.0, policy, None) is None
    assert judge(AGENT, 2.0, policy, None) is CRITICAL


def test_each_agent_is_an_alert_of_its_own() -> None:
    found = looked(
        Fig("memtend_agent_bytes", 61 * MIB, (("agent", "ada"),)),
        Fig("memtend_agent_bytes", 90 * MIB, (("agent", "bob"),)),
        Fig("memtend_agent_bytes", 9 * MIB, (("agent", "eve"),)),
        Fig("memtend_bytes", 700 * MIB),
    ).findings
    assert [(one.rule, one.scope, one.level) for one in found] == [
        ("agent.memory", "agent bob", ERROR),
        ("agent.memory", "agent ada", WARNING),
        ("store.memory", "store", WARNING),
    ]
    assert found[0].fact == "its memory takes 90.0 MiB, with a limit of 80.0 MiB"


SLOW = (("op", "get"), ("tier", "hot"))


@pytest.mark.parametrize(
    ("figures", "found"),
    [
        ([], False),
        ([Fig("memtend_operations_day", 99, SLOW)], False),
        ([Fig("memtend_operations_day", 100, SLOW)], True),
        ([Fig("memtend_operations_day", 100, SLOW[:1])], True),
        ([Fig("memtend_operations_day", 100, (("op", "put"), ("tier", "hot")))], False),
    ],
)
def test_a_percentile_of_few_says_nothing(figures: list[Fig], found: bool) -> None:
    slow = Fig("memtend_latency_ms", 300, (*SLOW, ("quantile", "0.95")))
    worse = Fig("memtend_latency_ms", 900, (*SLOW, ("quantile", "0.99")))
    assert bool(looked(slow, worse, *figures).findings) is found


@pytest.mark.parametrize(("op", "tier"), [("scan", "hot"), ("get", "cold"), ("thaw", "warm")])
def test_what_takes_as_long_as_it_is_large_is_not_judged(op: str, tier: str) -> None:
    labels = (("op", op), ("tier", tier))
    slow = Fig("memtend_latency_ms", 900, (*labels, ("quantile", "0.95")))
    assert not looked(slow, Fig("memtend_operations_day", 500, labels)).findings


@pytest.mark.parametrize(("reads", "found"), [(0, False), (999, False), (1_000, True)])
def test_a_cache_is_judged_only_after_enough_reads(reads: int, found: bool) -> None:
    page = (("cache", "page"),)
    figures = [
        Fig("memtend_cache_hit_share", 0.1, page),
        Fig("memtend_cache_reads_day", reads, page),
    ]
    assert bool(looked(*figures).findings) is found


@pytest.mark.parametrize(("pruned", "found"), [(19, False), (20, True)])
def test_regret_of_few_says_nothing(pruned: int, found: bool) -> None:
    rule = (("rule", "time.unused"),)
    figures = [Fig("memtend_regret_share", 0.5, rule), Fig("memtend_pruned_total", pruned, rule)]
    assert bool(looked(*figures).findings) is found


def test_every_complaint_of_health_is_one() -> None:
    """The worst of each name, none of what is well, and none about alerts themselves."""
    checks = [
        Said("disk", "critical"), Said("expiry", "warning"), Said("clock", "ok"),
        Said("expiry", "critical", "worse"), Said("alerts", "critical"), Said("backup", "ok"),
    ]  # fmt: skip
    found = looked(checks=checks)
    assert [(one.rule, one.level, one.fact) for one in found.findings] == [
        ("health.disk", CRITICAL, "fact"),
        ("health.expiry", CRITICAL, "worse"),
    ]
    assert (found.health, found.wide) == (True, True)
    assert looked(checks=checks[:3]).wide is False
    assert looked().health is False


def test_what_a_rule_says_health_does_not_say_again() -> None:
    figures = [
        Fig("memtend_latency_ms", 300, (*SLOW, ("quantile", "0.95"))),
        Fig("memtend_operations_day", 500, SLOW),
    ]
    said = [Said("performance", "warning")]
    assert [one.rule for one in looked(*figures, checks=said).findings] == ["query.p95"]
    gentle = AlertPolicy(query_p95_ms=Steps(warning=400))
    assert not look(figures, said, gentle, {}).findings  # the policy file decides
    assert [one.rule for one in look([], said, DEFAULT, {}).findings] == ["health.performance"]


def test_without_figures_no_rule_was_looked_at() -> None:
    assert look([], None, DEFAULT, {}).observed == frozenset()
    assert looked().observed == {"figures.unread", *(rule.name for rule in RULES)}


def test_figures_that_cannot_be_read_are_a_finding_and_nothing_is_well() -> None:
    found = look([], [Said("reading", "critical")], DEFAULT, {}, "a row is damaged")
    assert [(one.rule, one.level) for one in found.findings] == [
        ("figures.unread", ERROR),
        ("health.reading", CRITICAL),
    ]
    assert found.observed == frozenset()


def test_what_is_looked_at_keeps_its_level_in_between() -> None:
    between = Fig("memtend_agent_bytes", 58 * MIB, (("agent", "ada"),))
    assert not looked(between).findings
    held = {("agent.memory", "agent ada"): WARNING}
    assert [one.level for one in looked(between, held=held).findings] == [WARNING]
