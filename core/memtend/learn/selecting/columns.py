"""Which columns of the contexts can tell them apart; the others are left out, and named.

A column of one value tells nothing. One of whole numbers that grows from row to row counts rows: it
would let a tree learn when an outcome was recorded instead of what it was about. NaN is a value.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from memtend.learn.feedback import Feedback, Floats, Ints

_COUNTED_MIN: Final = 20
"""Rows; fewer may grow by chance."""
LARGEST: Final = 3e38  # of what fits into 32 bits


class Columns(NamedTuple):
    kept: Ints
    dropped: tuple[str, ...]
    """Each with the reason."""


def columns_of(feedback: Feedback) -> Columns:
    kept, dropped = [], []
    for at, column in enumerate(told(feedback.X).T):
        why = _useless(column)
        if why:
            names = feedback.feature_names
            dropped.append(f"{names[at] if names else f'column {at}'}: {why}")
        else:
            kept.append(at)
    return Columns(np.array(kept, dtype=np.int64), tuple(dropped))


def told(X: Floats) -> Floats:
    """As trees can take them: they see 32 bits, and nothing infinite."""
    return np.clip(X, -LARGEST, LARGEST)


def _useless(column: Floats) -> str:
    known = column[~np.isnan(column)]
    if len(known) == 0:
        return "never known"
    if len(known) == len(column) and (known == known[0]).all():
        return "the same everywhere"
    if len(known) == len(column) >= _COUNTED_MIN and (known == np.floor(known)).all():
        steps = np.diff(known)
        if (steps > 0).all() or (steps < 0).all():
            return "counts the rows"
    return ""
