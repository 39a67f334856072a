"""Survival of accesses: against a table made by hand, another's estimator, and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

from memtend.learn.ttl.accesses import Gaps
from memtend.learn.ttl.incumbents import best_fixed
from memtend.learn.ttl.objective import Price, clairvoyant, costs
from memtend.learn.ttl.survival import ages_of, cheapest, counted, hazards, kept, survival

GAPS = st.lists(
    st.tuples(st.integers(1, 40), st.booleans(), st.integers(1, 9)), min_size=1, max_size=40
)


def gaps_of(rows: list[tuple[int, bool, int]]) -> Gaps:
    gap, event, size = (np.array(column) for column in zip(*rows, strict=True))
    n = len(gap)
    return Gaps(
        np.zeros((n, 15)), np.zeros(n, np.int64), size.astype(float), gap.astype(float),
        event.astype(bool), np.arange(n, dtype=float),
    )  # fmt: skip


def curve_of(gaps: Gaps, ages: np.ndarray) -> np.ndarray:
    every = np.zeros(len(gaps), np.int64)
    found = survival(hazards(*counted(every, 1, gaps, ages, np.ones(len(gaps)))))
    return np.asarray(found[0])


def test_the_curve_is_that_of_a_table_made_by_hand() -> None:
    # Watched at 1: six, one reused. At 3: four (one left at 2), two reused. At 5: one, reused.
    gaps = gaps_of(
        [(1, True, 1), (2, False, 1), (3, True, 1), (3, True, 1), (4, False, 1), (5, True, 1)]
    )
    found = curve_of(gaps, np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0]))
    assert found == pytest.approx([1, 5 / 6, 5 / 6, 5 / 6 * 2 / 4, 5 / 6 * 2 / 4, 0])


@given(GAPS)
def test_the_curve_is_that_of_scipy(rows: list[tuple[int, bool, int]]) -> None:
    gaps = gaps_of(rows)
    ages = np.arange(0.0, 41.0)
    theirs = ecdf(CensoredData(gaps.gap[gaps.event], right=gaps.gap[~gaps.event]))
    assert curve_of(gaps, ages) == pytest.approx(theirs.sf.evaluate(ages))


@given(GAPS, st.integers(1, 30))
def test_a_longer_watch_without_a_reuse_never_lowers_the_curve(
    rows: list[tuple[int, bool, int]], more: int
) -> None:
    ages = np.arange(0.0, 72.0)
    longer = [(gap if event else gap + more, event, size) for gap, event, size in rows]
    before, after = curve_of(gaps_of(rows), ages), curve_of(gaps_of(longer), ages)
    assert np.all(np.diff(after) <= 1e-12)
    assert np.all(after >= before - 1e-12)


@given(GAPS, st.floats(1, 100))
def test_costs_and_the_best_fixed_one_are_those_of_brute_force(
    rows: list[tuple[int, bool, int]], break_even_s: float
) -> None:
    gaps = gaps_of(rows)
    price = Price.of(break_even_s, float(gaps.size.mean()))
    ages = ages_of(gaps)

    def brute(ttl_s: float) -> float:
        total = 0.0
        for gap, event, size in rows:
            total += price.rate * size * min(gap, ttl_s) + (event and gap > ttl_s)
        return total

    assert [costs(gaps, age, price).sum() for age in ages] == pytest.approx(
        [brute(a) for a in ages]
    )
    assert brute(best_fixed(gaps, ages, price)) == pytest.approx(min(brute(age) for age in ages))
    assert np.all(clairvoyant(gaps, price) <= costs(gaps, 7.0, price) + 1e-12)


@given(GAPS, st.floats(1, 100), st.integers(0, 20), st.integers(20, 60))
def test_the_cheapest_ttl_keeps_to_its_bounds(
    rows: list[tuple[int, bool, int]], break_even_s: float, floor: int, ceiling: int
) -> None:
    gaps = gaps_of(rows)
    ages = ages_of(gaps, floor, ceiling)
    curve = curve_of(gaps, ages)[None]
    found = float(cheapest(curve, ages, np.array([1 / break_even_s]), floor, ceiling)[0])
    assert floor <= found <= ceiling
    within = (ages >= floor) & (ages <= ceiling)
    cost = kept(curve, ages)[0] / break_even_s - (1 - curve[0])
    at = int(np.searchsorted(ages, found))
    assert cost[at] == pytest.approx(cost[within].min())


def test_a_group_without_accesses_leans_on_all() -> None:
    gaps = gaps_of([(n % 7 + 1, True, 1) for n in range(50)])
    ages = ages_of(gaps)
    d, c = counted(np.zeros(50, np.int64), 2, gaps, ages, np.ones(50))
    every = hazards(d.sum(0), c.sum(0))
    found = survival(hazards(d, c, every, 10.0))
    assert found[1] == pytest.approx(curve_of(gaps, ages))
