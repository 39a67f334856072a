"""What a policy would have cost, estimated from a log that another policy wrote.

Every estimate has an interval, from the jackknife and Student's t with as many degrees of freedom
as the weights leave rows. A mean over few heavy rows is therefore a wide one:

    >>> import numpy as np
    >>> log = Logged(np.array([0, 1, 0, 1]), np.array([1.0, 0.0, 1.0, 0.0]), np.full(4, 0.5))
    >>> always_second = np.tile([0.0, 1.0], (4, 1))
    >>> ips(log, always_second).value, snips(log, always_second).value
    (0.0, 0.0)

`predicted` must come from models that have not seen the row (cross-fitting): otherwise the residual
of a row is smaller than the error of the model, and the interval too narrow.

Ten rows that all went well do not say that there is no spread: the spread seen among the rows of a
policy is taken together with that of the whole log, which counts for `PRIOR_ROWS` more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from memtend.errors import FeedbackUnusable
from memtend.learn.feedback import Floats, Ints

LEVEL: Final = 0.90
CLIP: Final = 100.0
"""Weights above are cut: a row then speaks for a hundred, and the rest is left to the model."""
PRIOR_ROWS: Final = 3.0
_ROWS_MIN: Final = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Logged:
    """n rows: the strategy followed, its cost, and how likely it had been chosen."""

    strategy: Ints
    cost: Floats
    propensity: Floats

    def __post_init__(self) -> None:
        if not (len(self.strategy) == len(self.cost) == len(self.propensity)):
            raise FeedbackUnusable(why="its columns differ in length")
        if len(self.strategy) < _ROWS_MIN:
            raise FeedbackUnusable(why="it has fewer than two rows")
        if not (self.propensity > 0).all():
            raise FeedbackUnusable(why="a strategy was followed whose propensity is 0 or unknown")


@dataclass(frozen=True, slots=True)
class Estimate:
    """`low` to `high` covers the truth with probability `level`; `effective_rows` is how many rows
    of equal weight would say as much."""

    value: float
    low: float
    high: float
    level: float
    effective_rows: float
    error: float = 0.0
    """The standard error."""

    def covers(self, truth: float) -> bool:
        return self.low <= truth <= self.high


def ips(log: Logged, target: Floats, *, clip: float = CLIP, level: float = LEVEL) -> Estimate:
    """Inverse propensity. Unbiased below the clip, and of little use alone: its spread is large."""
    weights = _weights(log, target, clip)
    doubt = _doubt(weights, log.cost) * float(weights.mean()) ** 2
    return _interval(weights * log.cost, _effective(weights), level, doubt)


def snips(log: Logged, target: Floats, *, clip: float = CLIP, level: float = LEVEL) -> Estimate:
    """Inverse propensity, divided by the mean weight: never outside of the costs observed."""
    weights = _weights(log, target, clip)
    if not weights.any():
        return _unknown(float(log.cost.mean()), level)
    doubt = _doubt(weights, log.cost)
    return _interval(_ratio(weights, log.cost), _effective(weights), level, doubt)


def dm(log: Logged, target: Floats, predicted: Floats, *, level: float = LEVEL) -> Estimate:
    """Direct: the mean of what a model predicts. The interval ignores that the model may err."""
    told = (target * predicted).sum(axis=1)
    return _interval(told, float(len(told)), level)


def dr(
    log: Logged, target: Floats, predicted: Floats, *, clip: float = CLIP, level: float = LEVEL
) -> Estimate:
    """Doubly robust: the model, corrected by what it missed where the policies agree."""
    weights = _weights(log, target, clip)
    told = (target * predicted).sum(axis=1)
    missed = _missed(log, predicted)
    doubt = _doubt(weights, missed) * float(weights.mean()) ** 2
    return _interval(told + weights * missed, _effective(weights), level, doubt)


def sndr(
    log: Logged, target: Floats, predicted: Floats, *, clip: float = CLIP, level: float = LEVEL
) -> Estimate:
    """Doubly robust with self-normalized weights: the one to use when nothing speaks against it."""
    weights = _weights(log, target, clip)
    told = (target * predicted).sum(axis=1)
    if not weights.any():
        return _unknown(float(told.mean()), level)
    missed = _missed(log, predicted)
    doubt = _doubt(weights, missed)
    return _interval(told + _ratio(weights, missed), _effective(weights), level, doubt)


def difference(
    log: Logged,
    target: Floats,
    base: Floats,
    predicted: Floats,
    *,
    clip: float = CLIP,
    level: float = LEVEL,
) -> Estimate:
    """The cost of `target` minus that of `base`, row by row: below 0, the target is the better.

    Where both would do the same nothing is compared, so its noise does not enter; that is what
    makes it narrower than two estimates.
    """
    more, less = np.maximum(target - base, 0), np.maximum(base - target, 0)
    told = ((target - base) * predicted).sum(axis=1)
    apart = float(more.sum(axis=1).mean())
    if apart == 0:
        return Estimate(0.0, 0.0, 0.0, level, float(len(told)))
    up, down = _weights(log, more, clip), _weights(log, less, clip)
    if not (up.any() and down.any()):
        return _unknown(float(told.mean()), level)
    missed = _missed(log, predicted)
    values = told + apart * (_ratio(up, missed) - _ratio(down, missed))
    doubt = apart**2 * (_doubt(up, missed) + _doubt(down, missed))
    return _interval(values, min(_effective(up), _effective(down)), level, doubt)


def deterministic(chosen: Ints, strategies: int) -> Floats:
    """A policy that always does the same in the same context, as probabilities."""
    return np.eye(strategies)[chosen]


def _weights(log: Logged, target: Floats, clip: float) -> Floats:
    rows = np.arange(len(log.strategy))
    return np.asarray(np.minimum(target[rows, log.strategy] / log.propensity, clip))


def _missed(log: Logged, predicted: Floats) -> Floats:
    return np.asarray(log.cost - predicted[np.arange(len(log.cost)), log.strategy])


def _ratio(weights: Floats, values: Floats) -> Floats:
    """Jackknife pseudo-values of sum(w v) / sum(w): their mean is the ratio without its first bias,
    their spread its standard error."""
    n, total = len(weights), weights.sum()
    whole = (weights * values).sum() / total
    left = np.maximum(total - weights, np.finfo(np.float64).tiny)
    without = np.where(
        total - weights > 1e-12 * total, ((weights * values).sum() - weights * values) / left, whole
    )
    return np.asarray(n * whole - (n - 1) * without)


def _effective(weights: Floats) -> float:
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def _doubt(weights: Floats, values: Floats) -> float:
    """By how much the squared error of a weighted mean grows when the spread of its rows is taken
    together with that of all rows."""
    squares, effective = weights**2, _effective(weights)
    if effective == 0:
        return 0.0
    center = float((weights * values).sum() / weights.sum())
    seen = float((squares * (values - center) ** 2).sum() / squares.sum())
    taken = (effective * seen + PRIOR_ROWS * float(values.var())) / (effective + PRIOR_ROWS)
    return max(0.0, taken - seen) / effective


def _interval(values: Floats, effective: float, level: float, doubt: float = 0.0) -> Estimate:
    from scipy.special import stdtrit  # noqa: PLC0415

    if effective < _ROWS_MIN:
        return _unknown(float(values.mean()), level)
    error = float(np.sqrt(values.var(ddof=1) / len(values) + doubt))
    rows = effective - 1 + (PRIOR_ROWS if doubt > 0 else 0.0)
    reach = float(stdtrit(rows, (1 + level) / 2)) * error
    mean = float(values.mean())
    return Estimate(mean, mean - reach, mean + reach, level, effective, error)


def _unknown(value: float, level: float) -> Estimate:
    return Estimate(value, -np.inf, np.inf, level, 0.0, np.inf)
