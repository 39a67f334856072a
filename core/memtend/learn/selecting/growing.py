"""Trees that are grown for different questions, so that they err differently.

In turn: one for all regrets at once, on rows drawn by what is at stake in them; one for a random
contrast between strategies; and one for a contrast whose splits are drawn at random, too. A
contrast is a random mixture of all regrets, or how much better one of two strategies is than the
other, drawn where choosing between them matters. What the leaves say of all strategies is filled in
afterwards (`leaves`), so it does not matter what a tree was grown for.

Each tree sees its own sample of the rows; those left out of it judge it (out of bag).
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memtend.learn.feedback import Floats
from memtend.learn.flat import FlatForest
from memtend.learn.selecting.gaps import Gaps
from memtend.learn.selecting.stakes import Stakes

TREES: Final = 150
"""More chose hardly better, and a batch of contexts takes as long as there are trees."""
TREES_OF_MANY: Final = 100
MANY_ROWS: Final = 3_000
SAMPLE_MAX: Final = 4_000
"""Rows drawn for one tree: bounds the time of a fit, which many rows can afford."""
FEATURES_SHARE: Final = 1 / 3
FEATURES_SHARE_RANDOM: Final = 1 / 2
KINDS: Final = 3
_LEAF_SHARE: Final = 2_000
"""A leaf needs one row more for every so many drawn: many rows must not make deep trees."""
_FLOOR: Final = 1e-3
"""Of a row in which nothing is at stake: it may stay in a leaf, but forms none."""
_SEEDS: Final = 2**31


class Grown(NamedTuple):
    """`mass`: how much each row weighs in each tree, (n, trees); 0 where it was left out."""

    trees: tuple[Any, ...]
    mass: NDArray[np.float32]
    gaps: Gaps

    def forest(self) -> FlatForest:
        """Over the numbers themselves, without values."""
        shapes = [
            SimpleNamespace(tree_=_shape(one.tree_, self.gaps if counts(at) else None))
            for at, one in enumerate(self.trees)
        ]
        return FlatForest.of(SimpleNamespace(estimators_=shapes))


def counts(at: int) -> bool:
    """Whether the tree of this number sees counted gaps instead of numbers."""
    return at % KINDS == KINDS - 1


def grow(X: Floats, stakes: Stakes, *, seed: int) -> Grown:
    from sklearn.tree import DecisionTreeRegressor, ExtraTreeRegressor  # noqa: PLC0415

    rng = np.random.default_rng(seed)
    gaps = Gaps.of(X)
    seen, counted = X.astype(np.float32), gaps.counted(X)
    n = len(X)
    drawn = min(n, SAMPLE_MAX)
    leaf = 1 + drawn // _LEAF_SHARE
    contrasts = _Contrasts.of(stakes)
    trees = TREES if n <= MANY_ROWS else TREES_OF_MANY
    even, staked = np.full(n, 1 / n), stakes.weight / stakes.weight.sum()
    grown, mass = [], np.empty((n, trees), dtype=np.float32)
    for at in range(trees):
        whole = at % KINDS == 0
        bag = np.bincount(rng.choice(n, drawn, p=staked if whole else even), minlength=n)
        state = int(rng.integers(_SEEDS))
        if whole:
            target, weight = stakes.regret, np.ones(n)
        else:
            target, weight = contrasts.draw(at // KINDS % 2 == 0, rng)
        if counts(at):
            tree = ExtraTreeRegressor(
                max_features=FEATURES_SHARE_RANDOM, min_samples_leaf=leaf, random_state=state
            )
        else:
            tree = DecisionTreeRegressor(
                max_features=FEATURES_SHARE, min_samples_leaf=leaf, random_state=state
            )
        tree.fit(counted if counts(at) else seen, target, sample_weight=bag * weight)
        grown.append(tree)
        # Rows that were drawn by what is at stake have had their weight.
        mass[:, at] = bag if whole else bag * (stakes.weight + _FLOOR)
    return Grown(tuple(grown), mass, gaps)


class _Contrasts(NamedTuple):
    """`chances`: of each pair of strategies, how likely it is drawn: by how far apart the two are,
    and by how much hangs on either being there, since it is the best where much is at stake."""

    stakes: Stakes
    roots: Floats
    pairs: list[tuple[int, int]]
    chances: Floats

    @classmethod
    def of(cls, stakes: Stakes) -> _Contrasts:
        regret, m = stakes.regret, stakes.regret.shape[1]
        best = (regret == 0).astype(np.float64)
        best *= (stakes.weight / best.sum(axis=1))[:, None]
        needed = best.mean(axis=0) + 0.01 / m
        pairs = [(one, other) for one in range(m) for other in range(one + 1, m)]
        apart = np.array([np.abs(regret[:, one] - regret[:, two]).mean() for one, two in pairs])
        chances = apart * np.array([np.sqrt(needed[one] * needed[two]) for one, two in pairs])
        return cls(stakes, np.sqrt(regret), pairs, chances / chances.sum())

    def draw(self, mixture: bool, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """What to grow a tree for, and how much each row weighs."""
        regret, weight = self.stakes.regret, self.stakes.weight
        if mixture:
            return regret @ rng.normal(size=regret.shape[1]), weight + _FLOOR
        one, other = self.pairs[rng.choice(len(self.pairs), p=self.chances)]
        return self.roots[:, one] - self.roots[:, other], np.sqrt(weight) + _FLOOR


def _shape(tree: Any, gaps: Gaps | None) -> SimpleNamespace:
    """What of a tree a walk needs."""
    names = ("node_count", "max_depth", "children_left", "children_right", "feature")
    return SimpleNamespace(
        threshold=tree.threshold if gaps is None else gaps.thresholds(tree),
        missing_go_to_left=tree.missing_go_to_left,
        value=np.zeros((tree.node_count, 1)),
        **{name: getattr(tree, name) for name in names},
    )
