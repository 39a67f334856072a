"""What the log says about every strategy in every context: the mean of three learners.

They fail differently: trees that take the strategy for a feature forget it where rows are few,
leaves solved jointly do not, and the incumbent's own forest sees where it will fail. None of them
is served; they are what `fitting` learns from and what off-policy estimates lean on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from memtend.learn.bandit.leaves import PooledLeaves, Variances, fit_leaves
from memtend.learn.bandit.logs import BanditLog
from memtend.learn.bandit.trees import TREES, Pooled, fit_contrast, fit_pooled
from memtend.learn.feedback import Floats, Ints

FOLDS = 4
_FEW_ROWS: Final = 3_000
_TREES_OF_FEW: Final = 40
"""Of a fold's teacher, where rows are few: it only judges, and trees cost as much as rows there."""


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    pooled: Pooled
    contrast: Pooled
    leaves: PooledLeaves

    def predict(self, X: Floats) -> Floats:
        """(n, m) standardized costs."""
        return (self.pooled.predict(X) + self.contrast.predict(X) + self.leaves.predict(X)) / 3


def fit_teacher(
    log: BanditLog, *, seed: int, variances: Variances | None = None, trees: int = TREES
) -> Teacher:
    return Teacher(
        fit_pooled(log, seed=seed, trees=trees),
        fit_contrast(log, seed=seed, trees=trees),
        fit_leaves(log, seed=seed, variances=variances, trees=trees),
    )


def crossed(log: BanditLog, *, seed: int, variances: Variances, folds: int = FOLDS) -> Floats:
    """For each row, what a teacher says that has not seen it."""
    told = np.empty((len(log), log.strategies))
    trees = TREES if len(log) > _FEW_ROWS else _TREES_OF_FEW
    for number, (seen, held) in enumerate(splits(log, folds, seed)):
        teacher = fit_teacher(
            log.rows(seen), seed=seed + 101 * number, variances=variances, trees=trees
        )
        told[held] = teacher.predict(log.X[held])
    return told


def last_stretch(n: int, folds: int = FOLDS) -> Ints:
    """Of rows in the order of time: those which `crossed` judges by earlier rows only."""
    return np.flatnonzero(_stretches(n, folds) == folds - 1)


def splits(log: BanditLog, folds: int, seed: int) -> Iterator[tuple[Ints, Ints]]:
    """(seen, held back): stretches of time, or else each strategy's rows spread evenly."""
    if log.ordered:
        part = _stretches(len(log), folds)
    else:
        shuffled = np.random.default_rng(seed).permutation(len(log))
        order = shuffled[np.argsort(log.logged[shuffled], kind="stable")]
        part = np.empty(len(log), dtype=np.int64)
        part[order] = np.arange(len(log)) % folds
    for number in range(folds):
        yield np.flatnonzero(part != number), np.flatnonzero(part == number)


def _stretches(n: int, folds: int) -> Ints:
    return np.arange(n) * folds // n
