"""The gate, and the probabilities with which something else is tried."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.errors import FeedbackUnusable
from memtend.learn.evidence import Evidence, borne_out
from memtend.learn.exploring import epsilon_greedy, thompson
from memtend.learn.gating import gate_logged, trust_of
from memtend.learn.offpolicy import Logged, deterministic
from memtend.learn.selecting.judging import clear, standard_error


@given(st.integers(0, 1_000), st.floats(-1, 1))
def test_nothing_passes_whose_lower_bound_is_below_the_incumbent(seed: int, mean: float) -> None:
    gain = np.random.default_rng(seed).normal(mean, 1, 50)
    assert clear(gain) == (gain.mean() - standard_error(gain) > 0)
    assert not clear(gain[:1])
    assert not clear(gain - gain.max())


def _verdict(saves: float, claims: float) -> bool:
    """200 rows, half of them follow the other strategy, which in truth saves `saves`."""
    rng = np.random.default_rng(0)
    strategy = np.arange(200) % 2
    log = Logged(strategy, rng.normal(-saves * strategy, 0.5), np.full(200, 0.5))
    told = np.tile([0.0, -claims], (200, 1))
    one, other = (deterministic(np.full(200, at), 2) for at in (1, 0))
    return gate_logged(log, np.full((200, 2), 0.5), one, other, told).adopt


def test_the_log_overrules_a_model_that_claims_too_much() -> None:
    assert _verdict(saves=0.5, claims=0.5)
    assert not _verdict(saves=-0.5, claims=0.5)
    assert not _verdict(saves=0.5, claims=-0.1)  # a model that expects a loss is not asked further


def _borne_out(seed: int, effect: float, rows: int = 300) -> Evidence:
    """A model says where another strategy saves 0.5 and where it costs as much; `effect` of it is
    true. How hard a context is matters to all, and the model knows nothing of that."""
    rng = np.random.default_rng(seed)
    says = rng.choice([-0.5, 0.5], rows)
    chance = np.tile([0.8, 0.2], (rows, 1))
    strategy = (rng.random(rows) < 0.2).astype(np.int64)
    cost = rng.normal(0, 1, rows) + rng.normal(0, 0.5, rows) + effect * says * strategy
    log = Logged(strategy, cost, chance[np.arange(rows), strategy])
    told = np.c_[np.zeros(rows), says]
    target, base = deterministic(told.argmin(axis=1), 2), deterministic(np.zeros(rows, int), 2)
    return borne_out(log, chance, target, base, told)


def test_a_model_that_found_nothing_is_rarely_borne_out_and_one_that_did_mostly() -> None:
    assert np.mean([_borne_out(seed, effect=0.0).holds for seed in range(1_000)]) < 0.08
    found = [_borne_out(seed, effect=1.4) for seed in range(100)]
    assert np.mean([one.holds for one in found]) > 0.85
    assert np.mean([one.saving for one in found]) == pytest.approx(0.35, abs=0.04)


def test_a_flattered_strategy_is_not_borne_out() -> None:
    """It is worse by as much everywhere; the model only says that it is better somewhere."""
    rng = np.random.default_rng(1)
    chance, strategy = np.full((400, 2), 0.5), np.arange(400) % 2
    log = Logged(strategy, rng.normal(strategy * 0.4, 0.5), np.full(400, 0.5))
    told = np.c_[np.zeros(400), rng.normal(0, 0.3, 400)]
    target, base = deterministic(told.argmin(axis=1), 2), deterministic(np.zeros(400, int), 2)
    assert borne_out(log, chance, target, base, told).saving < 0


def test_two_rows_of_another_strategy_are_no_evidence() -> None:
    strategy = np.array([0] * 98 + [1] * 2)
    chance = np.tile([0.98, 0.02], (100, 1))
    log = Logged(strategy, -1.0 * strategy, chance[np.arange(100), strategy])
    one, other = (deterministic(np.full(100, at), 2) for at in (1, 0))
    assert not borne_out(log, chance, one, other, np.tile([0.0, -1.0], (100, 1))).holds


def test_a_claim_is_trusted_more_the_more_was_tried() -> None:
    trust = trust_of(np.array([0.0, 6.0, 600.0]))
    assert trust[0] == 0
    assert trust[1] == 0.5
    assert trust[2] > 0.98


@given(st.integers(2, 12), st.floats(0, 1), st.floats(0, 1, exclude_max=True), st.data())
def test_propensities_are_those_of_what_is_drawn(
    m: int, rate: float, draw: float, data: st.DataObject
) -> None:
    """They sum to 1, nothing forbidden has one, each allowed strategy keeps its share of `rate`."""
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=m, max_size=m)))
    best = data.draw(st.integers(0, m - 1))
    allowed[best] = True
    choice = epsilon_greedy(best, allowed, rate=rate, draw=draw)
    assert choice.propensity.sum() == pytest.approx(1)
    assert (choice.propensity[~allowed] == 0).all()
    assert (choice.propensity[allowed] >= rate / allowed.sum() - 1e-12).all()
    assert choice.propensity[choice.strategy] > 0
    assert choice.explored == (choice.strategy != best)


def test_draws_spread_evenly_choose_as_often_as_written_down() -> None:
    votes = np.array([[0.0, 1.0, 2.0]] * 3 + [[1.0, 0.0, 2.0]])
    draws = (np.arange(1_000) + 0.5) / 1_000
    choices = [thompson(votes, np.ones(3, dtype=bool), rate=0.2, draw=draw) for draw in draws]
    shares = np.bincount([choice.strategy for choice in choices], minlength=3) / 1_000
    assert shares == pytest.approx(choices[0].propensity, abs=0.002)
    assert shares == pytest.approx([0.8 * 0.75 + 0.2 / 3, 0.8 * 0.25 + 0.2 / 3, 0.2 / 3], abs=0.002)


def test_what_is_not_allowed_cannot_be_preferred() -> None:
    with pytest.raises(FeedbackUnusable, match="not among those allowed"):
        epsilon_greedy(0, np.array([False, True]), rate=0.1, draw=0.5)
