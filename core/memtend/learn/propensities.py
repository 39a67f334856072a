"""With which probability each strategy had been chosen, where nobody wrote it down.

Shares of the strategies in tasks of the type, drawn towards the shares in all tasks: a type with
few tasks says little of its own. A recorded probability stands; what it leaves is shared out among
the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from memtend.learn.feedback import Floats, Ints

_PRIOR: Final = 20.0
"""As many tasks as the shares in all tasks count for within a type."""


def estimated_propensities(
    task_types: Sequence[str], logged: Ints, strategies: int, recorded: Floats
) -> Floats:
    """(n, strategies), each row sums to 1. `recorded`: of the strategy followed, NaN = unknown."""
    n = len(logged)
    kinds, codes = np.unique(np.array(task_types, dtype=str), return_inverse=True)
    counts = np.zeros((len(kinds), strategies))
    np.add.at(counts, (codes, logged), 1.0)
    overall = (counts.sum(axis=0) + 1) / (n + strategies)
    shares = (counts + _PRIOR * overall) / (counts.sum(axis=1, keepdims=True) + _PRIOR)
    found: Floats = shares[codes]
    rows = np.flatnonzero(~np.isnan(recorded))
    if strategies > 1 and len(rows):
        own = found[rows, logged[rows]]
        left = (1 - recorded[rows]) / (1 - own)
        found[rows] *= left[:, None]
        found[rows, logged[rows]] = recorded[rows]
    return found
