"""Space and value: what goes first where too much is held, and how far down."""

from __future__ import annotations

from math import log1p
from typing import Any

import pytest

from memtend.model.candidate import Candidate
from memtend.model.prunepolicy import PrunePolicy, Weights
from memtend.prune.value import weighted
from tests.fixtures.candidates import PLAIN, ago, decide, item, plan

POLICY = PrunePolicy(strategies=("space",), agent_bytes=10_000, store_bytes=30_000)


def worth(seq: int, sure: float | None, agent: str | None = "a", **more: Any) -> Candidate:
    """A record of 1,000 bytes of which only the confidence is known: a third of it is its use."""
    return PLAIN._replace(seq=seq, key=f"k{seq}", confidence=sure, agent=agent, **more)


def taken(records: list[Candidate], policy: PrunePolicy = POLICY, **more: Any) -> list[int]:
    return [one.seq for one in plan(records, policy, **{"held_bytes": 30_001, **more}).decisions]


@pytest.mark.parametrize(
    ("held", "count"),
    [(10_000, 0), (10_001, 2), (11_000, 2), (11_001, 3), (15_000, 6)],
)
def test_an_agent_over_its_limit_goes_down_to_the_low_water_mark(held: int, count: int) -> None:
    """From more than 10,000 bytes down to 9,000, in whole records of 1,000."""
    records = [worth(seq, seq / 100) for seq in range(1, 31)]
    free = POLICY.model_copy(update={"store_bytes": None})
    made = plan(records, free, agent_bytes={"a": held})
    assert [one.seq for one in made.decisions] == list(range(1, count + 1))
    assert made.target_bytes == (held - 9_000 if count else None)
    assert made.notes == ()


@pytest.mark.parametrize(("held", "count"), [(30_000, 0), (30_001, 4), (31_000, 4), (31_001, 5)])
def test_a_store_over_its_limit_goes_down_to_the_low_water_mark(held: int, count: int) -> None:
    records = [worth(seq, seq / 100, agent=None) for seq in range(1, 31)]
    made = plan(records, POLICY, held_bytes=held)
    assert [one.seq for one in made.decisions] == list(range(1, count + 1))
    assert made.target_bytes == (held - 27_000 if count else None)


def test_each_agent_pays_for_itself_first_and_then_all_for_the_store() -> None:
    a = [worth(seq, 0.2) for seq in range(1, 13)]
    b = [worth(seq, 0.1, agent="b") for seq in range(21, 30)]
    held = {"a": 12_000, "b": 9_000}
    assert taken(a + b, agent_bytes=held, held_bytes=33_000) == [1, 2, 3]
    assert taken(a + b, agent_bytes=held, held_bytes=33_001) == [1, 2, 3, 21, 22, 23, 24]
    assert taken(a + b, held_bytes=33_001) == [1, 2, 3, 21, 22, 23, 24]  # summed up on the way


def test_the_lowest_goes_first_and_of_equals_the_longest_unused() -> None:
    records = [
        worth(1, 0.4),
        worth(2, 0.1),
        worth(3, 0.1, read_ms=ago(9), accesses=0),
        worth(4, 0.1, read_ms=ago(99), accesses=0),
        worth(5, 0.0),
    ]
    assert taken(records) == [5, 2, 4, 3]


def test_the_unknown_are_a_class_between_the_known() -> None:
    """By importance, then reads, then time; never mixed with the known."""
    unknown = [
        worth(1, None, importance=0.6),
        worth(2, None, accesses=2, read_ms=ago(99)),
        worth(3, None, written_ms=ago(9)),
        worth(4, None),
        worth(5, None, importance=0.1, accesses=4, read_ms=ago(1)),
    ]
    half = (0.5 * 0.5) / 0.3  # a value of exactly one half
    known = [worth(6, half), worth(7, half - 0.001), worth(8, 0.9)]
    tight = POLICY.model_copy(update={"store_bytes": 1, "agent_bytes": None})
    assert taken(known + unknown, tight) == [7, 5, 4, 3, 2, 1, 6, 8]


def test_high_value_is_preserved_and_what_cannot_be_freed_is_said() -> None:
    sure = Weights(0, 1, 0, 0)
    tight = POLICY.model_copy(update={"store_bytes": 1_000, "weights": sure})
    records = [worth(1, 0.85), worth(2, 0.851), worth(3, 0.1, pinned=True)]
    made = plan(records, tight, held_bytes=3_000)
    assert [one.seq for one in made.decisions] == [1]
    assert made.decisions[0].score == 0.85
    assert made.decisions[0].reason == (
        "value 0.85; the store holds 3,000 bytes, more than 1,000 bytes"
    )
    assert made.shielded == {"high-value": 1, "pinned": 1}
    assert made.notes == (
        "the store stays 1,100 bytes above its low-water mark: "
        "what else it holds is shielded (1 high-value, 1 pinned)",
    )


def test_what_is_shielded_is_counted_once() -> None:
    """Though a rule names it, its agent is over its limit, and so is the store."""
    failed: dict[str, Any] = {"success_count": 0, "failure_count": 9, "pinned": True}
    records = [worth(1, 0.1, **failed), worth(2, 0.1, pinned=True), worth(3, 0.1)]
    tight = POLICY.model_copy(update={"strategies": ("performance", "space"), "agent_bytes": 1_000})
    made = plan(records, tight, held_bytes=30_001, agent_bytes={"a": 3_000})
    assert made.shielded == {"pinned": 2}
    assert [one.seq for one in made.decisions] == [3]


def test_what_other_rules_free_is_not_freed_again() -> None:
    failed = [
        worth(seq, 0.9, success_count=0, failure_count=9, size_bytes=2_000) for seq in range(4)
    ]
    low = [worth(seq, 0.1, agent=None) for seq in range(10, 20)]
    every = POLICY.model_copy(update={"strategies": ("performance", "space")})
    made = plan(failed + low, every, held_bytes=30_001)
    assert {one.strategy for one in made.decisions} == {"performance"}
    assert made.target_bytes is None


def test_more_offers_than_are_needed_are_let_go_on_the_way() -> None:
    """Nobody can tell from the plan: the lowest of many come out, in order."""
    records = [worth(seq, 0.5, None, accesses=(seq * 7_919) % 10_007) for seq in range(1, 10_007)]
    made = plan(records, POLICY, held_bytes=40_000)
    assert [one.seq * 7_919 % 10_007 for one in made.decisions] == list(range(1, 14))


@pytest.mark.parametrize(
    ("record", "value"),
    [
        (PLAIN, None),
        (PLAIN._replace(accesses=10_000), None),
        (PLAIN._replace(success_count=1, failure_count=1), (0.4 * 0.5 + 0.2 * 0.238) / 0.6),
        (PLAIN._replace(confidence=0.9), 0.3 * 0.9 / 0.5),
        (PLAIN._replace(confidence=0.9, accesses=100), (0.3 * 0.9 + 0.2) / 0.5),
        (PLAIN._replace(confidence=0.9, accesses=9_999), (0.3 * 0.9 + 0.2) / 0.5),
        (item("pattern", facts={"saved_ms": 600_000.0}), 0.1 / 0.3),
        (item("pattern", facts={"saved_ms": 9e9}), 0.1 / 0.3),
        (item("pattern", facts={"saved_ms": -5.0}), 0.0),
        (item("pattern", facts={"success_rate": 0.6}), 0.4 * 0.6 / 0.6),
        (item("pattern", facts={"success_rate": 0.6, "executions": 0}), None),
        (item("pattern", facts={"success_rate": 1.0, "executions": 100, "confidence": 1.0,
                                "saved_ms": 6e5}), 1.0),
    ],
)  # fmt: skip
def test_value_is_weighed_over_what_is_known(record: Candidate, value: float | None) -> None:
    found = weighted(PrunePolicy())(record)
    assert found == (None if value is None else pytest.approx(value, abs=1e-4))


def test_weights_are_the_policys() -> None:
    record = PLAIN._replace(confidence=0.9, success_count=0, failure_count=1, accesses=9)
    value = weighted(PrunePolicy(weights=Weights(1, 3, 0, 0)))(record)
    assert value == pytest.approx(0.675)
    assert weighted(PrunePolicy(weights=Weights(0, 0, 0, 1)))(record) is None
    used = weighted(PrunePolicy(weights=Weights(0, 0, 1, 0), used_full=1_000))(record)
    assert used == pytest.approx(log1p(10) / log1p(1_000))


@pytest.mark.parametrize(
    ("sure", "days_unused", "rule"),
    [(0.3, 90, "value.low-value"), (0.3, 89.99, None), (0.334, 90, None), (None, 400, None)],
)
def test_value_takes_what_is_worth_little_where_it_is_on(
    sure: float | None, days_unused: float, rule: str | None
) -> None:
    record = worth(1, sure, written_ms=ago(days_unused))
    found = decide(record, value_below=0.2)
    assert (found.rule if found else None) == rule
    assert decide(record) is None


def test_a_learned_value_takes_the_place_of_the_weighted_one() -> None:
    records = [worth(seq, 0.1) for seq in range(1, 5)]
    learned = {1: 0.4, 2: 0.1, 3: None, 4: 0.2}
    made = plan(
        records, POLICY, held_bytes=30_001, agent_bytes={}, value_of=lambda one: learned[one.seq]
    )
    assert [(one.seq, one.score) for one in made.decisions] == [
        (2, 0.1),
        (4, 0.2),
        (1, 0.4),
        (3, None),
    ]
