"""Numbers as places in the order of the training values, for trees that split at random.

A random split of a number whose values lie far apart mostly cuts off an outlier. Counted in gaps
between neighbouring training values, every gap is as likely. A split in gaps is a split of the
number itself, at the middle of a gap, so what serves never counts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memtend.learn.feedback import Floats


class Gaps(NamedTuple):
    """`middles`: of each column, in 32 bits, ascending."""

    middles: tuple[NDArray[np.float32], ...]

    @classmethod
    def of(cls, X: Floats) -> Gaps:
        middles = []
        for column in X.T:
            known = np.unique(column[~np.isnan(column)])
            middles.append(((known[1:] + known[:-1]) / 2).astype(np.float32))
        return cls(tuple(middles))

    def counted(self, X: Floats) -> NDArray[np.float32]:
        """How many middles lie below each number; NaN stays NaN."""
        seen = np.asarray(X, dtype=np.float32)
        found = np.full(seen.shape, np.nan, dtype=np.float32)
        for at, middles in enumerate(self.middles):
            known = ~np.isnan(seen[:, at])
            found[known, at] = np.searchsorted(middles, seen[known, at], side="left")
        return found

    def thresholds(self, tree: Any) -> Floats:
        """Of a tree over counts: what each node compares the number itself with."""
        found = tree.threshold.copy()
        for node in np.flatnonzero((tree.feature >= 0) & np.isfinite(found)):
            middles, gap = self.middles[tree.feature[node]], int(np.floor(found[node]))
            # Past the last gap lies nothing: such a split parts what is known from what is not.
            found[node] = middles[gap] if gap < len(middles) else np.inf
        return np.asarray(found)
