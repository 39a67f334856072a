"""What could be saved at most beyond what a model chooses: the bound of the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from memtend.learn.feedback import Floats, Ints
    from memtend.learn.outcomes import OutcomeTable
    from memtend.learn.served import ServedRecommender


def left_to_save(
    served: ServedRecommender, before: OutcomeTable, X: Floats, chosen: Ints
) -> Floats | None:
    """In each context, never below 0; None where the model predicts no success.

    Every other strategy is taken to succeed as often as its interval allows, so the bound lies
    rather below than above what anybody can reach. Time and money count as they usually do with a
    strategy.
    """
    if served.success is None:
        return None
    n, m = len(X), len(served.strategies)
    likely, _, at_most = served.success.every(X)
    besides = before.cost - before.objective.failure * (1 - before.success)
    code = [served.strategies.index(name) for name in before.strategies]
    counts, sums = np.zeros(m), np.zeros(m)
    counts[code] = np.bincount(before.logged, minlength=len(code))
    sums[code] = np.bincount(before.logged, besides, len(code))
    usual = np.where(counts > 0, sums / np.maximum(counts, 1), float(besides.mean()))
    costs = before.objective.failure * (1 - at_most) + usual
    rows = np.arange(n)
    own = before.objective.failure * (1 - likely[rows, chosen]) + usual[chosen]
    costs[rows, chosen] = own
    return np.asarray(own - costs.min(axis=1))
