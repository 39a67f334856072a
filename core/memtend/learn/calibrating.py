"""How likely a strategy is to succeed in a context, so that of ten times 70 % seven come true.

    model.predict(X, strategy)   # probability, and the two ends of its 90 % interval

What is learned is the pooled forest of `bandit.leaves`, so a strategy with few outcomes stays near
what its context has in common for all; one never tried gets just that. Its predictions are then
brought to frequencies, by what was predicted for rows not seen: by a logistic curve (Platt) with an
offset for each strategy, so that seldom tried ones are not said to be like the common one; with
many rows isotonic regression corrects its shape.

The interval is for the probability in this very context, of which the prediction may miss a part
(`unexplained`): its ends are quantiles of a beta distribution around what is predicted, in which
90 % of contexts should lie.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np

from memtend.errors import FeedbackUnusable
from memtend.learn.bandit.leaves import fit_leaves
from memtend.learn.bandit.logs import BanditLog, bandit_log
from memtend.learn.bandit.teacher import FOLDS, splits
from memtend.learn.feedback import Feedback, Floats, Ints
from memtend.learn.flat import FlatForest
from memtend.learn.state import State
from memtend.learn.unexplained import bands, spreads

ROWS_MAX: Final = 20_000
ISOTONIC_ROWS: Final = 1_500
OFFSET_ROWS: Final = 2.0
"""What holds a strategy's own offset near the others': outcomes at even odds."""
_BINS: Final = 10
_KNOTS: Final = 256
_ODDS_MAX: Final = 8.0
_STEPS: Final = 25
_TREES: Final = 60


class CalibrationReport(NamedTuple):
    """`error`: mean distance between what was said and what came true, over ten bins of equally
    many rows, of rows that neither forest nor curve had seen; `noise`: what it would be of a
    perfectly calibrated model of so many rows."""

    rows: int
    method: str
    error: float
    noise: float


class _Curve(NamedTuple):
    """`slope` x score + `offsets` are log odds; the growing curve leads from them to what came
    true."""

    slope: Floats
    offsets: Floats
    odds: Floats
    likely: Floats

    def __call__(self, score: Floats, strategy: Ints) -> Floats:
        odds = self.slope[0] * score + self.offsets[strategy]
        return np.asarray(np.interp(odds, self.odds, self.likely))


@dataclass(frozen=True, slots=True, eq=False)
class SuccessModel:
    """`low`, `high`: of each strategy the ends of the interval, at evenly spaced probabilities."""

    forest: FlatForest
    curve: _Curve
    low: Floats
    high: Floats

    @property
    def strategies(self) -> int:
        return len(self.low)

    def predict(self, X: Floats, strategy: Ints) -> tuple[Floats, Floats, Floats]:
        """Of each row and its strategy: probability, low, high."""
        likely = self.curve(self.forest.predict(X)[np.arange(len(X)), strategy], strategy)
        return likely, *self._band(likely, strategy)

    def every(self, X: Floats) -> tuple[Floats, Floats, Floats]:
        """As `predict`, of each row and every strategy, (n, m): its trees are walked once."""
        each = np.arange(self.strategies)
        likely = self.curve(self.forest.predict(X), each)
        return likely, *self._band(likely, each)

    def _band(self, likely: Floats, strategy: Ints) -> tuple[Floats, Floats]:
        step = likely * (self.low.shape[1] - 1)
        at = np.minimum(step.astype(np.int64), self.low.shape[1] - 2)
        share = step - at
        low, high = (
            ends[strategy, at] * (1 - share) + ends[strategy, at + 1] * share
            for ends in (self.low, self.high)
        )
        return np.minimum(low, likely), np.maximum(high, likely)

    def state(self) -> State:
        arrays = self.forest.below("forest")
        return State({}, {**arrays, **self.curve._asdict(), "low": self.low, "high": self.high})

    @classmethod
    def of(cls, state: State) -> SuccessModel:
        """Raises `KeyError` where a part is missing."""
        arrays = state.arrays
        curve = _Curve(*(arrays[name] for name in _Curve._fields))
        return cls(FlatForest.from_below("forest", arrays), curve, arrays["low"], arrays["high"])


@dataclass(frozen=True, slots=True, eq=False)
class FittedSuccess:
    model: SuccessModel
    report: CalibrationReport
    forest: Any

    def estimators(self) -> dict[str, Any]:
        """The trees as scikit-learn knows them; the leaves' values are the model's own."""
        return {"success": self.forest}


def fit_success_model(feedback: Feedback, *, seed: int) -> FittedSuccess:
    """Raises `FeedbackUnusable` where of no row both the strategy and its success are known."""
    if feedback.success is None or feedback.logged is None:
        raise FeedbackUnusable(why="of no row both the strategy and its success are known")
    n, m = len(feedback), len(feedback.strategies)
    seen = np.full((n, m), np.nan)
    rows = np.flatnonzero(feedback.logged >= 0)
    seen[rows, feedback.logged[rows]] = feedback.success[rows]
    log = bandit_log(replace(feedback, costs=seen, incumbent=0), ROWS_MAX)
    success = log.cost * log.spread + log.center
    leaves = fit_leaves(log, seed=seed, trees=_TREES)
    unseen = np.empty(len(log))
    part = np.empty(len(log), dtype=np.int64)
    for number, (known, held) in enumerate(splits(log, FOLDS, seed)):
        other = fit_leaves(log.rows(known), seed=seed, variances=leaves.variances, trees=_TREES)
        unseen[held] = other.predict(log.X[held])[np.arange(len(held)), log.logged[held]]
        part[held] = number
    method = "isotonic" if len(log) >= ISOTONIC_ROWS else "Platt"
    said = np.empty(len(log))
    for number in range(FOLDS):
        held = part == number
        if not held.all():
            known = np.flatnonzero(~held)
            curve = _curve(unseen[known], log.rows(known), success[known], method)
            said[held] = curve(unseen[held], log.logged[held])
    low, high = bands(spreads(log, said, success, part))
    model = SuccessModel(leaves.forest, _curve(unseen, log, success, method), low, high)
    error, noise = calibration_error(said, success), _noise(said, seed)
    return FittedSuccess(model, CalibrationReport(len(log), method, error, noise), leaves.estimator)


def calibration_error(said: Floats, came: Floats) -> float:
    """Mean distance between the two over ten bins of equally many rows, in the order of `said`."""
    order = np.argsort(said, kind="stable")
    parts = [part for part in np.array_split(order, _BINS) if len(part)]
    return float(
        sum(len(part) * abs(said[part].mean() - came[part].mean()) for part in parts) / len(said)
    )


def _noise(said: Floats, seed: int) -> float:
    rng = np.random.default_rng(seed)
    drawn = [(rng.random(len(said)) < said).astype(np.float64) for _ in range(20)]
    return float(np.mean([calibration_error(said, came) for came in drawn]))


def _curve(score: Floats, log: BanditLog, success: Floats, method: str) -> _Curve:
    slope, offsets = _platt(score, log, success)
    odds = slope * score + offsets[log.logged]
    edge = 1 / (len(score) + 2)  # that no failure was seen proves none impossible
    if method == "isotonic":
        from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415

        fitted = IsotonicRegression(out_of_bounds="clip").fit(odds, success)
        knots, values = fitted.X_thresholds_, fitted.y_thresholds_
    else:
        knots = np.linspace(-_ODDS_MAX, _ODDS_MAX, _KNOTS)
        values = 1 / (1 + np.exp(-knots))
    knots = np.asarray(knots, dtype=np.float64)
    return _Curve(np.array([slope]), offsets, knots, np.clip(values, edge, 1 - edge))


def _platt(score: Floats, log: BanditLog, success: Floats) -> tuple[float, Floats]:
    """A logistic regression by Newton's method: slope, and the strategies' offsets."""
    design = np.c_[score, np.ones(len(score)), np.eye(log.strategies)[log.logged]]
    prior = np.array([0.1, 1e-6, *[OFFSET_ROWS / 4] * log.strategies])
    weights = np.zeros(len(prior))
    for _ in range(_STEPS):
        told = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (success - told) - prior * weights
        bend = (design * (told * (1 - told))[:, None]).T @ design + np.diag(prior)
        weights = weights + np.clip(np.linalg.solve(bend, slope), -2, 2)
    return max(0.0, float(weights[0])), weights[1] + weights[2:]
