"""A few of many rows, from all over them."""

from __future__ import annotations

import numpy as np

from memtend.learn.feedback import Ints


def evenly(rows: int, most: int) -> Ints:
    """The numbers of so many at most, in order."""
    return np.unique(np.linspace(0, rows - 1, min(most, rows)).astype(np.int64))
