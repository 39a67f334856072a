"""Fitted trees as flat arrays, which serve without scikit-learn, one context in microseconds.

The trees of a forest lie one after another in the same arrays; a leaf is its own child, so that a
walk needs not ask whether it has arrived. Numbers are compared as scikit-learn does: the feature
as 32-bit float; at most the threshold goes left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memtend.learn.feedback import Floats
from memtend.learn.state import Arrays, below, from_below
from memtend.learn.walking import Walk

_LEAF: Final = -1
_ARRAYS: Final = ("roots", "features", "thresholds", "children", "missing_left", "values")


@dataclass(frozen=True, slots=True, eq=False)
class FlatForest:
    """The mean over its trees. `values` are (nodes, outputs); of a classifier, the shares of its
    classes."""

    roots: NDArray[np.int32]
    features: NDArray[np.int32]
    thresholds: NDArray[np.float32]
    children: NDArray[np.int32]  # (2 * nodes,): left and right in turn
    missing_left: NDArray[np.bool_]
    values: Floats
    depth: int
    _walks: list[Walk] = field(default_factory=list, init=False, repr=False)

    @classmethod
    def of(cls, estimator: Any) -> FlatForest:
        """From a fitted tree or forest of scikit-learn (with `tree_`, or `estimators_` that have
        it)."""
        fitted = [one.tree_ for one in getattr(estimator, "estimators_", [estimator])]
        counts = [tree.node_count for tree in fitted]
        roots = np.cumsum([0, *counts[:-1]])

        def joined(name: str) -> NDArray[Any]:
            return np.concatenate([getattr(tree, name) for tree in fitted])

        own = np.arange(sum(counts))
        is_leaf = joined("children_left") == _LEAF
        shift = np.repeat(roots, counts)
        sides = [
            np.where(is_leaf, own, joined(f"children_{side}") + shift) for side in ("left", "right")
        ]
        return cls(
            roots=roots.astype(np.int32),
            features=np.where(is_leaf, 0, joined("feature")).astype(np.int32),
            thresholds=np.where(is_leaf, np.inf, _as_compared(joined("threshold"))).astype(
                np.float32
            ),
            children=np.stack(sides, axis=1).reshape(-1).astype(np.int32),
            missing_left=joined("missing_go_to_left").astype(bool),
            values=joined("value").reshape(sum(counts), -1).astype(np.float64),
            depth=max(tree.max_depth for tree in fitted),
        )

    @property
    def walk(self) -> Walk:
        """Laid out when first asked. Raises `IndexError` or `ValueError` for what is no forest."""
        if not self._walks:
            self._walks.append(
                Walk.of(
                    self.roots, self.features, self.thresholds, self.children, self.missing_left
                )
            )
        return self._walks[0]

    def leaves(self, X: Floats) -> NDArray[np.int32]:
        """The node in which each context ends, (n, trees)."""
        told, walk = np.asarray(X, dtype=np.float32), self.walk
        found = np.empty((len(told), walk.trees), dtype=np.int32)
        for rows in walk.parts(len(told)):
            found[rows] = walk.ends(told[rows])
        return found

    def predict(self, X: Floats) -> Floats:
        """The mean of the leaves' values, (n, outputs)."""
        told, walk = np.asarray(X, dtype=np.float32), self.walk
        found = np.empty((len(told), self.values.shape[1]))
        for rows in walk.parts(len(told)):
            values = self.values.take(walk.ends(told[rows]), axis=0)
            np.add.reduce(values, axis=1, out=found[rows])
        found /= max(1, walk.trees)
        return found

    def arrays(self) -> Arrays:
        """What `from_arrays` makes an equal forest of."""
        return {**{name: getattr(self, name) for name in _ARRAYS}, "depth": np.array([self.depth])}

    def below(self, name: str) -> Arrays:
        """`arrays`, as a part among others keeps them."""
        return below(name, self.arrays())

    @classmethod
    def from_below(cls, name: str, arrays: Arrays) -> FlatForest:
        """What `below` had put among others; raises `KeyError`."""
        return cls.from_arrays(from_below(name, arrays))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> FlatForest:
        """Raises `KeyError` where one is missing."""
        depth = int(arrays["depth"][0])
        return cls(depth=depth, **{name: arrays[name] for name in _ARRAYS})


def _as_compared(thresholds: Floats) -> NDArray[np.float32]:
    """The largest 32-bit floats that are not above: the same features are at most these."""
    near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)
