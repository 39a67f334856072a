"""What the leaves of trees say of every strategy, whatever the trees were grown for.

A leaf's value is the weighted mean of its rows' values. Several kinds of values can be tried on the
same trees at next to no cost, and the rows that a tree has not seen judge each kind.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memtend.learn.feedback import Floats


class Leaves(NamedTuple):
    """Of n training rows in trees: in which leaf of all each row ends, and what weighs there.
    `shares` (leaves, n) makes leaf values of row values; `outside` (n, leaves) is the mean over
    the trees that have not seen a row."""

    places: NDArray[np.int32]
    """Of each node of the forest: which leaf it is, -1 for none."""
    shares: Any
    outside: Any

    def values(self, rows: Floats) -> Floats:
        return np.asarray(self.shares @ rows)

    def out_of_bag(self, values: Floats) -> Floats:
        return np.asarray(self.outside @ values)


def leaves_of(nodes: NDArray[np.int32], size: int, mass: NDArray[np.float32]) -> Leaves:
    """`nodes`: where each row ends in each tree, of `size` nodes altogether; `mass`: what it weighs
    there, 0 where the tree has not seen it."""
    from scipy.sparse import csr_matrix, diags_array  # noqa: PLC0415

    n, trees = nodes.shape
    ends = np.unique(nodes)
    places = np.full(size, -1, dtype=np.int32)
    places[ends] = np.arange(len(ends), dtype=np.int32)
    columns = places[nodes].reshape(-1)
    starts = np.arange(0, n * trees + 1, trees)

    def table(cells: NDArray[Any]) -> Any:
        cells = cells.astype(np.float64).reshape(-1)
        return csr_matrix((cells, columns, starts), shape=(n, len(ends)))

    inside = table(mass)
    total = np.asarray(inside.sum(axis=0)).reshape(-1)
    unseen = mass == 0
    count = np.maximum(unseen.sum(axis=1), 1)
    shares = diags_array(1.0 / total) @ inside.T
    return Leaves(places, shares.tocsr(), table(unseen / count[:, None]))
