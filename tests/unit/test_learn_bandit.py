"""Learning from logs that know only what was tried, on worlds whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memtend.errors import FeedbackUnusable
from memtend.learn.bandit.fitting import FittedBandit, fit_from_bandit
from memtend.learn.bandit.leaves import fit_leaves
from memtend.learn.bandit.logs import bandit_log
from memtend.learn.bandit.selector import BanditSelector, deviating
from memtend.learn.calibrating import SuccessModel, calibration_error, fit_success_model
from memtend.learn.feedback import Feedback
from memtend.learn.single import SingleStrategy
from memtend.learn.state import equal
from tests.fixtures.worlds import Kind, World


@pytest.fixture(scope="module")
def world() -> World:
    return World("rich", 1)


@pytest.fixture(scope="module")
def fitted(world: World) -> FittedBandit:
    return fit_from_bandit(world.log(1_000, epsilon=0.5, seed=1).feedback(), seed=3)


def test_a_rich_world_is_better_with_what_was_learned(world: World, fitted: FittedBandit) -> None:
    X = world.contexts(1_000, np.random.default_rng(0))
    assert fitted.report.adopted
    assert fitted.report.saving > fitted.report.low > 0
    assert world.gap_closed(X, fitted.selector.choose(X)) > 0.3


def test_what_serves_is_what_was_fitted(world: World, fitted: FittedBandit) -> None:
    """Arrays and JSON only; the forest says what scikit-learn says; expectations have a unit."""
    X = world.contexts(200, np.random.default_rng(2))
    assert isinstance(fitted.selector, BanditSelector)
    again = BanditSelector.of(fitted.selector.state())
    assert equal(again.state(), fitted.selector.state())
    assert (again.choose(X) == fitted.selector.choose(X)).all()
    told = fitted.estimators()["forest"].predict(X) * again.spread
    beside = again.expected(X) - again.expected(X)[:, [world.incumbent]]
    others = np.arange(6) != world.incumbent
    assert beside[:, others] == pytest.approx(told[:, others], abs=1e-9)
    assert 0 < again.expected(X).mean() < 1.5


def test_a_world_without_signal_keeps_its_strategy() -> None:
    world = World("null", 4)
    fitted = fit_from_bandit(world.log(200, seed=4).feedback(), seed=0)
    X = world.contexts(500, np.random.default_rng(0))
    assert not fitted.report.adopted
    assert "stays" in fitted.report.why
    assert (fitted.selector.choose(X) == world.incumbent).all()


@pytest.mark.parametrize("seed", range(3))
def test_from_coin_flips_nothing_is_learned(seed: int) -> None:
    rng, rows = np.random.default_rng([5, seed]), np.arange(110)
    logged = rng.integers(0, 2, 110)
    costs = np.full((110, 2), np.nan)
    costs[rows, logged] = rng.integers(0, 2, 110)
    flips = Feedback(X=rng.normal(size=(110, 2)), costs=costs, strategies=("heads", "tails"),
                     logged=logged, propensity=np.full((110, 2), 0.5))  # fmt: skip
    assert not fit_from_bandit(flips, seed=seed).report.adopted


def test_few_rows_keep_the_incumbent_and_say_so(world: World) -> None:
    fitted = fit_from_bandit(world.log(40).feedback(), seed=0)
    assert isinstance(fitted.selector, SingleStrategy)
    assert fitted.incumbent == world.incumbent
    assert "40 rows are too few" in fitted.report.why


def test_nothing_known_is_refused(world: World) -> None:
    feedback = world.log(30).feedback()
    with pytest.raises(FeedbackUnusable):
        fit_from_bandit(replace(feedback, costs=np.full_like(feedback.costs, np.nan)), seed=0)


def test_equal_seeds_make_equal_leaves_and_the_unit_of_costs_does_not_matter(world: World) -> None:
    feedback = world.log(150, seed=2).feedback()
    other = replace(feedback, costs=feedback.costs * 1_000 + 7)
    one, two = (fit_leaves(bandit_log(each, 1_000), seed=5, trees=20) for each in (feedback,) * 2)
    three = fit_leaves(bandit_log(other, 1_000), seed=5, trees=20)
    assert one.variances == two.variances
    assert (one.forest.values == two.forest.values).all()
    assert three.predict(feedback.X) == pytest.approx(one.predict(feedback.X), abs=1e-3)


def test_propensities_nobody_wrote_down_are_the_shares_of_the_log(world: World) -> None:
    feedback = replace(world.log(200).feedback(), propensity=None, incumbent=None)
    log = bandit_log(feedback, 1_000)
    assert not log.propensities_known
    assert log.propensity[0] == pytest.approx(log.counts / 200)
    assert log.incumbent == world.incumbent


def test_one_lucky_outcome_makes_no_incumbent() -> None:
    """Where all are tried alike, what was tried once and went well is not what is done today."""
    draw = np.random.default_rng(3)
    logged = np.append(np.tile(np.arange(3), 40), 3)
    costs = np.full((121, 4), np.nan)
    costs[np.arange(121), logged] = np.append(draw.random(120), 0.0)
    feedback = Feedback(
        X=draw.random((121, 2)), costs=costs, strategies=("a", "b", "c", "lucky"), logged=logged
    )
    assert bandit_log(feedback, 1_000).incumbent != 3
    assert fit_from_bandit(feedback, seed=0).incumbent != 3


def test_only_a_trusted_saving_above_the_margin_leaves_the_incumbent() -> None:
    cost = np.array([[1.0, 0.95, 0.0], [1.0, 0.5, 0.0], [0.2, 0.5, 0.9]])
    assert deviating(cost, 0, np.array([1.0, 1.0, 0.0]), 0.1).tolist() == [0, 1, 0]
    assert deviating(cost, 0, np.ones(3), 0.1).tolist() == [2, 2, 0]


def test_chances_are_calibrated_and_served_as_fitted(world: World) -> None:
    fitted = fit_success_model(world.log(1_500, seed=6).feedback(), seed=0)
    X = world.contexts(4_000, np.random.default_rng(8))
    each = np.full(len(X), world.incumbent)
    likely, low, high = fitted.model.predict(X, each)
    came = np.random.default_rng(9).random(len(X)) < world.truth(X).success[:, world.incumbent]
    assert calibration_error(likely, came.astype(np.float64)) < 0.06
    assert fitted.report.error < fitted.report.noise + 0.04
    assert ((low <= likely) & (likely <= high)).all()
    again = SuccessModel.of(fitted.model.state())
    assert (again.predict(X, each)[0] == likely).all()


@pytest.mark.parametrize("kind", ["rich", "weak"])
def test_intervals_hold_the_chance_in_single_contexts(kind: Kind) -> None:
    """On average over worlds; in one of them it may be less."""
    held, width = [], []
    for seed in range(4):
        world = World(kind, seed)
        model = fit_success_model(world.log(500, seed=seed).feedback(), seed=0).model
        X = world.contexts(400, np.random.default_rng(7))
        _likely, low, high = model.every(X)
        truth = world.truth(X).success
        held.append(((low <= truth) & (truth <= high)).mean())
        width.append((high - low)[:, world.incumbent].mean())
    assert np.mean(held) > 0.86
    assert np.mean(width) < 0.75


def test_a_strategy_never_tried_has_a_wide_interval(world: World) -> None:
    feedback = world.log(300, seed=3).feedback()
    unseen = replace(feedback, strategies=(*feedback.strategies, "new"), propensity=None,
                     costs=np.c_[feedback.costs, np.full(300, np.nan)])  # fmt: skip
    model = fit_success_model(unseen, seed=0).model
    X = world.contexts(50, np.random.default_rng(1))
    _likely, low, high = model.predict(X, np.full(50, 6))
    _known, low_known, high_known = model.predict(X, np.full(50, world.incumbent))
    assert (high - low).min() > 0.5
    assert (high - low).mean() > 1.2 * (high_known - low_known).mean()
