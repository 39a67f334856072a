"""Trees laid out for walking: what a step asks of a node lies in one number, level after level.

A node's number has the order of its threshold above, then the feature, then the place of its left
child; the right one lies beside it. A cell has the order of its value above and nothing below, so
the difference of the two numbers compares value and threshold. Each feature has two cells, which
differ where it is missing: the least of all values, and the greatest. A leaf is its own left child,
and nothing is above its threshold.

Places are by level through all trees, so that what every walk passes lies close together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_LEAST: Final = -(1 << 31)
_GREATEST: Final = (1 << 31) - 1
_LOW_BITS: Final = 31
"""One of 64 stays free, so that the difference of two numbers has a sign."""
_SIGN: Final = np.int64(63)
_DROP_EVERY: Final = 4
_FEW: Final = 1_000
_ASKED: Final = 20_000
"""Places in trees that are walked at once: what a step reads and writes of them stays within the
processor's cache."""


Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    packed: Whole
    nodes: NDArray[np.int32]
    """By place, the number of the node."""
    starts: Whole
    depth: int
    masks: Whole
    """Bits of a place; what then is left of a feature, and of a place."""
    features: int
    """A row has at least so many."""

    @classmethod
    def of(
        cls,
        roots: NDArray[np.int32],
        features: NDArray[np.int32],
        thresholds: NDArray[np.float32],
        children: NDArray[np.int32],
        missing_left: NDArray[np.bool_],
    ) -> Walk:
        """Raises `IndexError` or `ValueError` for what is no forest: a child that is none, or of
        two parents."""
        sides = children.reshape(-1, 2).astype(np.int64)
        size = len(features)
        if len(sides) != size or sides.min(initial=0) < 0 or features.min(initial=0) < 0:
            raise ValueError("children")
        levels, lefts = _levels(roots.astype(np.int64), sides)
        nodes, places = np.concatenate(levels), np.concatenate(lefts)
        told = int(features.max(initial=0)) + 1
        place_bits = len(nodes).bit_length()
        if (2 * told).bit_length() + place_bits > _LOW_BITS:
            raise ValueError("too many nodes or features")
        asked = 2 * features[nodes].astype(np.int64) + ~missing_left[nodes]
        is_leaf = places == np.arange(len(nodes))
        orders = np.where(is_leaf, _GREATEST, _order(thresholds[nodes])).astype(np.int64)
        packed = orders << _LOW_BITS | asked << place_bits | places
        masks = (place_bits, (1 << _LOW_BITS - place_bits) - 1, (1 << place_bits) - 1)
        return cls(
            packed=packed,
            nodes=nodes.astype(np.int32),
            starts=np.arange(len(roots)),
            depth=len(levels) - 1,
            masks=np.array(masks),  # twice as fast to compute with as numbers of Python's
            features=told,
        )

    @property
    def trees(self) -> int:
        return len(self.starts)

    def parts(self, rows: int) -> Iterator[slice]:
        """Of so many rows, those that are best asked together."""
        step = max(1, _ASKED // max(1, self.trees))
        return (slice(start, start + step) for start in range(0, rows, step))

    def ends(self, told: NDArray[np.float32]) -> NDArray[np.int32]:
        """The node in which each row ends in each tree, (rows, trees). Raises `IndexError` where a
        feature is none of theirs."""
        rows, width = told.shape
        if width < self.features:
            raise IndexError(width)
        cells, trees = _cells(told), self.trees
        offset = np.repeat(np.arange(0, len(cells), 2 * width), trees)
        at = np.tile(self.starts, rows)
        found = (self._few if len(at) <= _FEW else self._many)(cells, offset, at)
        return self.nodes.take(found).reshape(rows, trees)

    def _few(self, cells: Whole, offset: Whole, at: Whole) -> Whole:
        """Where each place leads to, in as few operations as there can be."""
        bits, feature_mask, place_mask, packed = *self.masks, self.packed
        for _ in range(self.depth):
            own = packed[at]
            value = cells[((own >> bits) & feature_mask) + offset]
            at = (own & place_mask) - ((own - value) >> _SIGN)
        return at

    def _many(self, cells: Whole, offset: Whole, at: Whole) -> Whole:
        """As `_few`, in the same memory again and again, and the arrived are dropped."""
        bits, feature_mask, place_mask = self.masks
        after, asked = np.empty((2, len(at)), dtype=np.int64)
        ended, where = at, None
        for step in range(self.depth):
            # All places and features were looked at before, so nothing is ever clipped.
            self.packed.take(at, out=after, mode="clip")
            np.right_shift(after, bits, out=asked)
            asked &= feature_mask
            asked += offset
            right = np.subtract(after, cells.take(asked), out=asked)
            right >>= _SIGN
            after &= place_mask
            after -= right
            if step % _DROP_EVERY == _DROP_EVERY - 1 and len(at) > _FEW:
                moving = np.flatnonzero(after != at)
                if where is None:
                    ended, where = after, moving
                else:
                    ended[where] = after
                    where = where.take(moving)
                at, offset = after.take(moving), offset.take(moving)
                after, asked = np.empty((2, len(at)), dtype=np.int64)
            else:
                at, after = after, at
        if where is None:
            return at
        ended[where] = at
        return ended


def _levels(roots: Whole, sides: Whole) -> tuple[list[Whole], list[Whole]]:
    """The nodes of each level, and the places of their left children; of a leaf, its own."""
    levels, lefts = [roots], []
    known = len(roots)
    while True:
        nodes = levels[-1]
        below = sides[nodes]
        inner = np.flatnonzero((below != nodes[:, None]).any(axis=1))
        places = np.arange(known - len(nodes), known)
        places[inner] = known + 2 * np.arange(len(inner))
        lefts.append(places)
        if not len(inner):
            return levels, lefts
        levels.append(below[inner].reshape(-1))
        known += 2 * len(inner)
        if known > len(sides):
            raise ValueError("a child of two parents")


def _cells(told: NDArray[np.float32]) -> Whole:
    """Two of each feature, one row after another."""
    orders = np.repeat(_order(told), 2, axis=1)
    missing = np.isnan(told)
    if missing.any():
        orders[:, ::2][missing] = _LEAST
        orders[:, 1::2][missing] = _GREATEST
    return orders.reshape(-1).astype(np.int64) << _LOW_BITS


def _order(values: NDArray[np.float32]) -> NDArray[np.int32]:
    """Whole numbers in the same order, of which infinity is not the greatest."""
    bits = (values + np.float32(0)).view(np.int32)  # there is but one zero
    return bits ^ ((bits >> 31) & _GREATEST)
