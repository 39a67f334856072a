"""Identical situations in which every strategy was tried: then each one's cost is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from memtend.learn.features import Encoder
from memtend.learn.feedback import Feedback

_GROUPS_MIN: Final = 40
_SHARE_MIN: Final = 0.9
_REPEATS_MAX: Final = 3.0
"""Outcomes of a strategy in a situation; with more, few situations come again and again, and what
differs from time to time is noise."""
_LASTING: Final = frozenset({"task_type", "agents", "context"})
"""What says which task it is, and not when it was."""


def pooled(feedback: Feedback, encoder: Encoder) -> Feedback | None:
    """One row a situation with the mean cost of each strategy; None where most outcomes stand
    alone. What differs within a situation is missing in its row."""
    if feedback.logged is None or not encoder.fields:
        return None
    lasting = np.array([field.path[0] in _LASTING for field in encoder.fields])[encoder.groups]
    groups = _groups(feedback.X[:, lasting])
    n, m = int(groups.max(initial=-1)) + 1, len(feedback.strategies)
    rows = np.arange(len(feedback))
    counts, total = np.zeros((n, m)), np.zeros((n, m))
    np.add.at(counts, (groups, feedback.logged), 1.0)
    np.add.at(total, (groups, feedback.logged), feedback.costs[rows, feedback.logged])
    whole = (counts > 0).all(axis=1)
    inside = counts[whole].sum()
    if (
        whole.sum() < _GROUPS_MIN
        or inside < _SHARE_MIN * len(feedback)
        or inside > _REPEATS_MAX * m * whole.sum()
    ):
        return None
    first = np.full(n, len(feedback))
    np.minimum.at(first, groups, rows)
    X = feedback.X[first]
    X[:, ~lasting] = np.nan
    return replace(
        feedback,
        X=X[whole],
        costs=total[whole] / counts[whole],
        logged=None,
        propensity=None,
        success=None,
        at=None if feedback.at is None else feedback.at[first][whole],
        writer=None,
    )


def _groups(X: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows that are equal, NaN to NaN, have one number; numbers follow the first ones' order."""
    if not X.shape[1]:
        return np.zeros(len(X), dtype=np.int64)
    whole = np.ascontiguousarray(X + 0.0).view(np.dtype((np.void, X.shape[1] * X.itemsize)))
    _, first, codes = np.unique(whole.reshape(-1), return_index=True, return_inverse=True)
    ranks = np.empty(len(first), dtype=np.int64)
    ranks[np.argsort(first)] = np.arange(len(first))
    return ranks[codes.reshape(-1)]
