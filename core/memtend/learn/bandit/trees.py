"""Two pooled forests that take the strategy as a feature.

`fit_pooled` predicts the cost of any strategy from all rows. `fit_contrast` gives the incumbent,
who has most of the rows, a forest of its own, and tells the forest of the others how hard the
incumbent finds the context: what is hard for one strategy is mostly hard for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from memtend.learn.bandit.logs import BanditLog
from memtend.learn.feedback import Floats, Ints

TREES = 100
INCUMBENT_ROWS_MIN = 20
_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    forest: Any
    means: Floats
    incumbent_forest: Any = None
    incumbent: int = -1

    def predict(self, X: Floats) -> Floats:
        """(n, m) standardized costs."""
        m = len(self.means)
        hard = None if self.incumbent_forest is None else self.incumbent_forest.predict(X)
        found = np.empty((len(X), m))
        step = max(1, _ROWS_AT_ONCE // m)
        for start in range(0, len(X), step):
            rows = slice(start, start + step)
            n = len(X[rows])
            told = None if hard is None else np.repeat(hard[rows], m)
            asked = _features(
                np.repeat(X[rows], m, axis=0), np.tile(np.arange(m), n), self.means, told
            )
            found[rows] = self.forest.predict(asked).reshape(n, m)
        if hard is not None:
            found[:, self.incumbent] = hard
        return found


def fit_pooled(log: BanditLog, *, seed: int, trees: int = TREES) -> Pooled:
    forest = _forest(seed, trees).fit(_features(log.X, log.logged, log.means()), log.cost)
    return Pooled(forest, log.means())


def fit_contrast(log: BanditLog, *, seed: int, trees: int = TREES) -> Pooled:
    """With too few rows of the incumbent or of others to tell apart, the same as `fit_pooled`."""
    own = log.logged == log.incumbent
    if not INCUMBENT_ROWS_MIN <= own.sum() <= len(log) - INCUMBENT_ROWS_MIN:
        return fit_pooled(log, seed=seed, trees=trees)
    forest = _forest(seed, trees, bootstrap=True, oob_score=True).fit(log.X[own], log.cost[own])
    hard = forest.predict(log.X)
    hard[own] = forest.oob_prediction_
    others, means = log.rows(np.flatnonzero(~own)), log.means()
    asked = _features(others.X, others.logged, means, hard[~own])
    rest = _forest(seed + 1, trees).fit(asked, others.cost)
    return Pooled(rest, means, forest, log.incumbent)


def _forest(seed: int, trees: int, **more: Any) -> Any:
    from sklearn.ensemble import ExtraTreesRegressor  # noqa: PLC0415

    return ExtraTreesRegressor(
        trees, min_samples_leaf=2, max_features=0.5, random_state=seed, **more
    )


def _features(X: Floats, strategy: Ints, means: Floats, hard: Floats | None = None) -> Floats:
    parts = [X, np.eye(len(means))[strategy], means[strategy][:, None]]
    if hard is not None:
        parts.append(hard[:, None])
    return np.hstack(parts)
