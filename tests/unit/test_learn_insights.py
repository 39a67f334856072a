"""What is told of outcomes is true where the truth is known, and nothing where there is none."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.learn.conditions import flattened
from memtend.learn.insights import insights
from memtend.learn.significance import (
    adjusted,
    bridge_tail,
    chi_square_tail,
    normal_of,
    two_sided,
    wilson,
)
from memtend.learn.trends import trends
from memtend.learn.writers import suspects
from memtend.model.ended import Ended
from tests.fixtures.ended import recorded, without_signal

RUNS = 20
WEEK_MS = 7 * 24 * 3_600_000


def build(number: int, strategy: str, files: int, result: str, **more: object) -> Ended:
    return Ended(
        f"{number:06}", 1_750_000_000_000 + number * 60_000, "build", result, strategy,
        context={"files": files, "trace": f"t{number}"}, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def builds(count: int = 400, **more: object) -> list[Ended]:
    """With more than 12 files, `parallel` succeeds four times in five, else half as often."""
    rows = []
    for number in range(count):
        strategy = "parallel" if number % 4 == 0 else "sequential"
        files = number // 4 % 25
        if strategy == "parallel":
            good = number // 4 % 5 > 0 if files > 12 else number // 4 % 5 > 2
        else:
            good = number % 2 == 0
        rows.append(build(number, strategy, files, "success" if good else "failure", **more))
    return rows


def test_it_tells_where_another_strategy_is_better() -> None:
    [found] = [one for one in insights(builds()) if one.condition]
    assert found.fact.startswith("for all tasks with files above ")
    assert (found.arm.strategy, found.against.strategy) == ("parallel", "sequential")
    assert found.low > 0
    assert found.arm.low <= found.arm.value <= found.arm.high
    assert "the tasks may have differed" in found.sure


def test_only_known_propensities_say_what_following_does() -> None:
    drawn = insights(builds(propensity=0.5))
    assert drawn
    assert all(one.drawn and "may have differed" not in one.sure for one in drawn)


def test_faster_is_told_as_a_ratio() -> None:
    rows = [
        build(number, name, 1, "success", duration_s=time * (1 + number % 7 / 10))
        for number in range(120)
        for name, time in [("solo", 60.0) if number % 3 else ("pair", 20.0)]
    ]
    [found] = insights(rows)
    assert (found.quantity, found.arm.strategy) == ("seconds", "pair")
    assert found.low < 1 / 3 < found.high
    assert "times as long" in found.sure


@pytest.mark.parametrize("kind", ["null", "rich"])
def test_where_nothing_is_to_be_found_hardly_anything_is_told(kind: str) -> None:
    runs = [without_signal("rich", 600, seed) for seed in range(RUNS)]
    if kind == "null":
        runs = [recorded("null", 600, seed) for seed in range(RUNS)]
    assert sum(bool(insights(rows)) for rows in runs) <= RUNS * 0.05


def test_few_outcomes_tell_nothing() -> None:
    assert insights([]) == ()
    assert insights(recorded("rich", 50)) == ()
    assert trends([]) == ()
    assert suspects([]) == ()


def test_the_order_in_which_outcomes_are_read_changes_nothing() -> None:
    rows = builds()
    assert insights(rows[::-1]) == insights(rows)


def test_what_is_only_known_afterwards_is_no_condition() -> None:
    told = flattened({"files": 3, "error": "none", "run": {"duration_s": 4.0, "tags": ["a", 1]}}, 2)
    assert told == {"files": 3.0, "run.tags": frozenset({"a"}), "agents": 2.0}


def test_a_poisoned_writer_stands_out() -> None:
    for seed in range(5):
        [found] = suspects(recorded("poisoned", 1_000, seed))
        assert (found.writer, found.high < 0) == ("mallory", True)
        assert found.fact.startswith("mallory reports success ")
        assert "points less often" in found.fact


def test_honest_writers_do_not() -> None:
    assert sum(bool(suspects(recorded("rich", 600, seed))) for seed in range(RUNS)) <= RUNS * 0.05


def test_a_trend_is_told_where_there_is_one() -> None:
    rows = [
        build(number, "solo", 1, "success", duration_s=10 * 1.1**week * (1 + number % 5 / 20))
        ._replace(at_ms=1_750_000_000_000 + week * WEEK_MS + number)
        for week in range(10)
        for number in range(20)
    ]  # fmt: skip
    told = {one.quantity: one for one in trends(rows)}
    assert told["seconds"].direction == "worsening"
    assert told["seconds"].change == pytest.approx(0.1, abs=1e-6)
    assert len(told["seconds"].weeks) == 10
    assert told["success"].direction == "steady"
    assert told["success"].fact.endswith("no change beyond chance")


def test_no_trend_is_told_where_there_is_none() -> None:
    step = 10 * WEEK_MS // 600
    runs = [recorded("rich", 600, seed, step_ms=step) for seed in range(RUNS)]
    moving = [any(one.direction != "steady" for one in trends(rows)) for rows in runs]
    assert sum(moving) <= RUNS * 0.05


def test_tails_are_those_of_the_books() -> None:
    assert two_sided(1.959964) == pytest.approx(0.05, rel=1e-4)
    assert two_sided(normal_of(2.570582, 5)) == pytest.approx(0.05, rel=0.01)
    assert two_sided(normal_of(4.032143, 5)) == pytest.approx(0.01, rel=0.06)
    assert chi_square_tail(3.841459, 1) == pytest.approx(0.05, rel=0.06)
    assert chi_square_tail(23.209251, 10) == pytest.approx(0.01, rel=0.02)
    assert bridge_tail(1.358099) == pytest.approx(0.05, rel=1e-3)
    assert bridge_tail(1.627624) == pytest.approx(0.01, rel=1e-3)
    assert wilson(0.5, 100) == pytest.approx((0.4189, 0.5811), abs=1e-3)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_telling_what_is_below_a_rate_never_tells_more_than_the_chances_allow(
    chances: list[float],
) -> None:
    rates = adjusted(chances)
    assert all(rate >= chance - 1e-12 for rate, chance in zip(rates, chances, strict=True))
    pairs = sorted(zip(chances, rates, strict=True))
    assert all(one[1] <= two[1] + 1e-12 for one, two in pairwise(pairs))
    least = min(chances, default=1.0)
    assert all(rate >= least - 1e-12 and not math.isnan(rate) for rate in rates)
