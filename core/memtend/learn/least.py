"""The least that a task could cost, as far as a model knows: the bound of the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from memtend.learn.feedback import Floats
    from memtend.learn.outcomes import OutcomeTable
    from memtend.learn.served import ServedRecommender


def least_costs(served: ServedRecommender, before: OutcomeTable, X: Floats) -> Floats | None:
    """Of each context; None where the model predicts no success.

    It takes the best of what is believed of each strategy, so it lies rather below than above what
    anybody can reach. Time and money count as they usually do with a strategy.
    """
    if served.success is None:
        return None
    n, m = len(X), len(served.strategies)
    every = np.tile(np.arange(m), n)
    likely = served.success.predict(np.repeat(X, m, axis=0), every)[0].reshape(n, m)
    besides = before.cost - before.objective.failure * (1 - before.success)
    code = [served.strategies.index(name) for name in before.strategies]
    counts, sums = np.zeros(m), np.zeros(m)
    counts[code] = np.bincount(before.logged, minlength=len(code))
    sums[code] = np.bincount(before.logged, besides, len(code))
    usual = np.where(counts > 0, sums / np.maximum(counts, 1), float(besides.mean()))
    costs = before.objective.failure * (1 - likely) + usual
    return np.asarray(costs.min(axis=1))
