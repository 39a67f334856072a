"""Which times to live are proposed, and why the others stay as they are."""

from __future__ import annotations

import math
from typing import Any

import pytest

from memtend.clock import to_datetime
from memtend.learn.tuning.facts import ClassFacts, Figure, Learned, Proposal
from memtend.learn.tuning.kept import overlaps
from memtend.learn.tuning.plan import TtlPlan, plan_ttl
from memtend.learn.tuning.rounding import readable
from memtend.model.facts import Facts
from memtend.model.learnpolicy import TtlTuning
from memtend.model.plan import Action
from memtend.model.policy import Policy

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
FACTS = Facts(store_id="s" * 32, at=to_datetime(0), seq=9, records=100, bytes=1_000)
TUNING = TtlTuning(floor_ms=10 * MINUTE_MS, ceiling_ms=30 * DAY_MS, accesses_min=200)
GOOD = Proposal(
    ttl_ms=3 * HOUR_MS, adopted=True, why="", saving=Figure(0.1, 0.2, 0.3),
    bytes=Figure(-4e6, -3e6, -2e6), misses=Figure(-1.0, 2.0, 5.0), regret_now=0.0, regret=0.01,
)  # fmt: skip


def facts(**more: Any) -> ClassFacts:
    rule = Policy(pattern="session/*", ttl_ms=DAY_MS)
    plain = ClassFacts("session/*", rule, ("session/a",), 1_000, 800, proposal=GOOD)
    return plain._replace(**more)


def plan(*classes: ClassFacts, tuning: TtlTuning = TUNING) -> TtlPlan:
    return plan_ttl(classes, tuning, FACTS, policies="0" * 64)


def test_a_proposal_says_from_what_to_what_and_on_what_it_rests() -> None:
    (one,) = plan(facts()).decisions
    assert (one.action, one.ttl_now_ms, one.ttl_ms) == (Action.UPDATE, DAY_MS, 3 * HOUR_MS)
    assert one.reason == (
        "1d -> 3h: of 1,000 accesses 800 were followed by another; keeps 2.9 MiB less (1.9 MiB to "
        "3.8 MiB), 2.0 more reads a day come too late (-1.0 to 5.0)"
    )
    assert one.saving is not None
    assert (one.saving.low, one.saving.value, one.saving.high) == (0.1, 0.2, 0.3)


def test_what_changes_nothing_for_readers_is_told_in_words() -> None:
    none = GOOD._replace(misses=Figure(0.0, 0.0, 0.0))
    (one,) = plan(facts(proposal=none)).decisions
    assert one.reason.endswith("(1.9 MiB to 3.8 MiB), no more reads come too late")


STAYS = [
    ({"accesses": 199}, "199 accesses are too few: 200 are asked for"),
    ({"policy": Policy(pattern="session/*")}, "its rule says permanent, and what was promised"),
    ({"by_key": True}, "which rule holds depends on the key here"),
    ({"trial": "0123456789abcdef"}, "the trial 01234567 is under way"),
    (  # what it has under trial says permanent, because nobody has said anything
        {"trial": "0123456789abcdef", "policy": Policy(pattern="session/*")},
        "the trial 01234567 is under way",
    ),
    ({"strangers": ("session/a/b",)}, "a rule for it would also govern session/a/b"),
    ({"proposal": None}, "nothing is known of it"),
    (
        {"proposal": GOOD._replace(adopted=False, why="the future is unlike")},
        "the future is unlike",
    ),
    ({"proposal": GOOD._replace(regret=0.051)}, "5.1% of its reads would come too late, and 5.0%"),
    ({"proposal": GOOD._replace(saving=Figure(0.0, 0.1, 0.2))}, "it may well cost more"),
    ({"proposal": GOOD._replace(ttl_ms=DAY_MS)}, "1d would be best, which is as good"),
    ({"pattern": "messages/*"}, "messages/** is how agents work together"),
]


@pytest.mark.parametrize(("more", "why"), STAYS)
def test_it_stays_as_it_is(more: dict[str, Any], why: str) -> None:
    (one,) = plan(facts(**more)).decisions
    assert (one.action, one.ttl_ms) == (Action.KEEP, None)
    assert one.reason.startswith(why)


def test_limits_hold_at_their_bounds() -> None:
    enough = facts(accesses=200)
    barely = facts(proposal=GOOD._replace(saving=Figure(1e-9, 0.1, 0.2)))
    unsaid = facts(policy=Policy(pattern="**"), stated=False)
    assert len(plan(enough).to_change()) == 1
    for regret, now in ((0.05, 0.0), (0.3, 0.3)):
        regretted = GOOD._replace(regret=regret, regret_now=now)
        assert len(plan(facts(proposal=regretted)).to_change()) == 1
    assert len(plan(barely).to_change()) == 1
    assert len(plan(unsaid).to_change()) == 1  # nobody has said permanent


@pytest.mark.parametrize(
    ("found_ms", "ttl_ms", "said"),
    [
        (10 * MINUTE_MS - 1, 10 * MINUTE_MS, ""),  # rounded up to it
        (9 * MINUTE_MS, 10 * MINUTE_MS, ", held at the floor"),
        (10 * MINUTE_MS, 10 * MINUTE_MS, ""),
        (30 * DAY_MS, 30 * DAY_MS, ""),
        (30 * DAY_MS + 1, 30 * DAY_MS, ", held at the ceiling"),
    ],
)
def test_floor_and_ceiling(found_ms: int, ttl_ms: int, said: str) -> None:
    (one,) = plan(facts(proposal=GOOD._replace(ttl_ms=found_ms))).decisions
    assert one.ttl_ms == ttl_ms
    assert said in one.reason
    assert said or "held" not in one.reason


@pytest.mark.parametrize(
    ("ttl_ms", "changes"), [(26 * HOUR_MS, 0), (27 * HOUR_MS, 1), (22 * HOUR_MS, 0)]
)
def test_a_tenth_is_no_difference(ttl_ms: int, changes: int) -> None:
    assert len(plan(facts(proposal=GOOD._replace(ttl_ms=ttl_ms))).to_change()) == changes


@pytest.mark.parametrize(
    ("kept", "pattern", "hits"),
    [
        ("knowledge/**", "knowledge/api", True),
        ("knowledge/api", "knowledge/*", True),
        ("knowledge", "knowledge/*/notes", True),
        ("swarm-7/**", "swarm-*/agent-*/progress", True),
        ("swarm-7/agent-1", "swarm-*/global", False),
        ("a*z/b", "ab*yz/*", True),
        ("a*", "b*", False),
        ("**", "anything/at/all", True),
        ("*/x", "a/**", True),
        ("b/*", "a/**", False),
        ("know", "knowledge/*", False),
    ],
)
def test_nothing_is_touched_that_could_be_kept(kept: str, pattern: str, *, hits: bool) -> None:
    assert overlaps(kept, pattern) is overlaps(pattern, kept) is hits
    (one,) = plan(facts(pattern=pattern), tuning=TtlTuning(namespaces_kept=(kept,))).decisions
    assert (one.action is Action.KEEP) is hits
    assert hits is (one.reason == f"the policy file keeps {kept} from being tuned")


def test_the_order_of_what_is_found_means_nothing() -> None:
    found = [facts(pattern=f"n/{name}") for name in "cab"]
    made = plan(*found)
    assert made == plan(*reversed(found))
    assert [one.namespace for one in made.decisions] == ["n/a", "n/b", "n/c"]
    assert made.total == 3


def test_a_plan_says_what_it_rests_on() -> None:
    learned = Learned(5_000, 1, 2, 0.25, HOUR_MS, 3.5)
    made = plan_ttl([facts()], TUNING, FACTS, policies="0" * 64, learned=learned, notes=("n",))
    assert (made.accesses, made.sampled, made.break_even_ms) == (5_000, 0.25, HOUR_MS)
    assert (made.operation, made.basis, made.notes) == ("ttl", 9, ("n",))
    assert TtlPlan.model_validate_json(made.model_dump_json()) == made


def test_an_interval_without_an_end_is_none() -> None:
    """Of one key alone. Such a plan can be saved as any other."""
    endless = GOOD._replace(saving=Figure(-math.inf, 0.1, math.inf))
    made = plan(facts(proposal=endless))
    assert made.decisions[0].action is Action.KEEP
    assert made.decisions[0].saving is None
    assert TtlPlan.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize("ms", [1, 9, 10, 199, 1_000, 61_000, 11_843_412, 2_000_000_007])
def test_times_get_readable_and_never_shorter(ms: int) -> None:
    assert ms <= readable(ms) <= max(ms * 1.05, ms + 1)
    assert readable(readable(ms)) == readable(ms)
