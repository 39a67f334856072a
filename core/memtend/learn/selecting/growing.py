"""Trees that are each grown for one random contrast between strategies.

A tree for all costs at once looks for splits that matter to many strategies, so the trees of a
forest resemble one another. Here each tree asks another question: half of them a random mixture of
all regrets (weighted by what is at stake), half of them by how much one of two strategies, drawn
where choosing between them matters, is better than the other. What the leaves say of all
strategies is filled in afterwards (`leaves`). The mean of trees that err differently errs less.

Each tree sees its own bootstrap sample; the rows left out of it judge it (out of bag).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memtend.learn.feedback import Floats
from memtend.learn.selecting.stakes import Stakes

TREES: Final = 150
"""More chose hardly better, and a batch of contexts takes as long as there are trees."""
TREES_OF_MANY: Final = 100
MANY_ROWS: Final = 3_000
FEATURES_SHARE: Final = 1 / 3
SAMPLE_MAX: Final = 4_000
"""Rows drawn for one tree: bounds the time of a fit, which many rows can afford."""
_LEAF_SHARE: Final = 2_000
"""A leaf needs one row more for every so many drawn: many rows must not make deep trees."""
_FLOOR: Final = 1e-3
"""Of a row in which nothing is at stake: it may stay in a leaf, but forms none."""
_SEEDS: Final = 2**31


class Grown(NamedTuple):
    """`bags`: how often each row was drawn for each tree, (n, trees)."""

    trees: tuple[Any, ...]
    bags: NDArray[np.uint16]


def grow(X: Floats, stakes: Stakes, *, seed: int) -> Grown:
    from sklearn.tree import DecisionTreeRegressor  # noqa: PLC0415 — takes a second

    rng = np.random.default_rng(seed)
    seen = X.astype(np.float32)  # once, not for every tree
    n, m = stakes.regret.shape
    roots, drawn = np.sqrt(stakes.regret), min(n, SAMPLE_MAX)
    pairs, chances = _pairs(stakes)
    trees = TREES if n <= MANY_ROWS else TREES_OF_MANY
    grown, bags = [], np.empty((n, trees), dtype=np.uint16)
    for at in range(trees):
        bag = np.bincount(rng.integers(0, n, drawn), minlength=n)
        if at % 2:
            one, other = pairs[rng.choice(len(pairs), p=chances)]
            target, weight = roots[:, one] - roots[:, other], np.sqrt(stakes.weight)
        else:
            target, weight = stakes.regret @ rng.normal(size=m), stakes.weight
        tree = DecisionTreeRegressor(
            max_features=FEATURES_SHARE,
            min_samples_leaf=1 + drawn // _LEAF_SHARE,
            random_state=int(rng.integers(_SEEDS)),
        )
        tree.fit(seen, target, sample_weight=bag * (weight + _FLOOR))
        grown.append(tree)
        bags[:, at] = bag
    return Grown(tuple(grown), bags)


def row_weights(stakes: Stakes) -> Floats:
    return stakes.weight + _FLOOR


def _pairs(stakes: Stakes) -> tuple[list[tuple[int, int]], Floats]:
    """All pairs, and how likely each is drawn: by how far apart the two are, and by how much
    hangs on either being there, since it is the best where much is at stake."""
    regret, m = stakes.regret, stakes.regret.shape[1]
    best = (regret == 0).astype(np.float64)
    best *= (stakes.weight / best.sum(axis=1))[:, None]
    needed = best.mean(axis=0) + 0.01 / m
    pairs = [(one, other) for one in range(m) for other in range(one + 1, m)]
    apart = np.array([np.abs(regret[:, one] - regret[:, other]).mean() for one, other in pairs])
    chances = apart * np.array([np.sqrt(needed[one] * needed[other]) for one, other in pairs])
    return pairs, chances / chances.sum()
