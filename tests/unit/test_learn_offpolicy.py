"""Off-policy estimates: laws of the weights, and intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.errors import FeedbackUnusable
from memtend.learn.offpolicy import Logged, deterministic, difference, dm, dr, ips, sndr, snips
from tests.fixtures.worlds import World


def _log(seed: int, n: int = 60, m: int = 3) -> tuple[Logged, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(m, 2.0), n) * 0.9 + 0.1 / m
    strategy = np.array([rng.choice(m, p=row / row.sum()) for row in shares])
    cost = rng.normal(strategy, 1.0)
    return Logged(strategy, cost, shares[np.arange(n), strategy]), shares, rng.normal(size=(n, m))


@given(st.integers(0, 10_000))
def test_the_policy_that_wrote_the_log_cost_what_the_log_says(seed: int) -> None:
    """All weights are 1: inverse propensity is the mean, and self-normalizing changes nothing."""
    log, shares, told = _log(seed)
    assert ips(log, shares).value == pytest.approx(log.cost.mean())
    assert snips(log, shares).value == pytest.approx(log.cost.mean())
    assert sndr(log, shares, told).value == pytest.approx(dr(log, shares, told).value)


@given(st.integers(0, 10_000), st.floats(-50, 50))
def test_a_constant_added_to_all_costs_is_added_to_the_estimate(seed: int, more: float) -> None:
    log, _shares, told = _log(seed)
    target = deterministic(np.zeros(len(log.cost), dtype=np.int64), 3)
    moved = Logged(log.strategy, log.cost + more, log.propensity)
    one, other = sndr(log, target, told), sndr(moved, target, told + more)
    assert other.value == pytest.approx(one.value + more, abs=1e-6)
    assert other.high - other.low == pytest.approx(one.high - one.low, rel=1e-6)


@given(st.integers(0, 10_000))
def test_a_policy_does_not_differ_from_itself_and_differs_both_ways_alike(seed: int) -> None:
    log, shares, told = _log(seed)
    target = deterministic(told.argmin(axis=1), 3)
    assert difference(log, shares, shares, told).value == 0
    there, back = difference(log, target, shares, told), difference(log, shares, target, told)
    assert back.value == pytest.approx(-there.value)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


@given(st.integers(0, 10_000))
def test_a_model_that_knows_every_cost_is_not_corrected(seed: int) -> None:
    log, _shares, told = _log(seed)
    told[np.arange(len(told)), log.strategy] = log.cost
    target = deterministic(told.argmin(axis=1), 3)
    assert dr(log, target, told).value == pytest.approx(dm(log, target, told).value)


def test_a_policy_that_the_log_never_followed_is_unknown() -> None:
    log = Logged(np.zeros(5, dtype=np.int64), np.ones(5), np.ones(5))
    found = snips(log, deterministic(np.ones(5, dtype=np.int64), 2))
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_a_log_without_propensities_is_refused() -> None:
    with pytest.raises(FeedbackUnusable, match="propensity is 0"):
        Logged(np.array([0, 1]), np.ones(2), np.array([0.5, 0.0]))


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """100 logs of one world, without any model. The full count is in the benchmarks."""
    world, n = World("rich", 3), 800
    chosen = (world.incumbent + 1) % 6
    many = world.truth(world.contexts(20_000, np.random.default_rng(5))).cost.mean(axis=0)
    target = deterministic(np.full(n, chosen), 6)
    base = deterministic(np.full(n, world.incumbent), 6)
    alone, apart = 0, 0
    for seed in range(100):
        log = world.log(n, seed=seed)
        seen = Logged(log.logged, log.cost, log.propensity[np.arange(n), log.logged])
        alone += snips(seen, target).covers(many[chosen])
        truth = many[chosen] - many[world.incumbent]
        apart += difference(seen, target, base, np.zeros((n, 6))).covers(truth)
    assert 84 <= alone <= 97
    assert 84 <= apart <= 97
