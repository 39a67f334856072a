"""A forest whose leaves hold survival curves: how soon after such an access the next one came.

The trees part accesses by how likely they are used again by several ages at once; what is censored
before an age counts with the chance that remains to it. Curves in the leaves weigh recent accesses
more and lean on the curve of all. Scikit-learn grows the trees; what serves is numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from memtend.learn.feedback import Floats
from memtend.learn.flat import FlatForest
from memtend.learn.state import State
from memtend.learn.ttl.accesses import Gaps
from memtend.learn.ttl.survival import ages_of, cheapest, counted, hazards, survival

TREES: Final = 16
LEAF_MIN: Final = 50
DRAWN: Final = 0.63  # of the accesses, for each tree
TRIED: Final = 0.5  # of the features, at each split
TARGETS: Final = 6
STRENGTH: Final = 1.0
HALF_LIFE: Final = 0.4  # of the accesses, by which the weight of one halves
ROWS_MAX: Final = 40_000  # the latest
_MISSING: Final = -9.0  # below every feature: before anything is known
_BATCH: Final = 4_096


@dataclass(frozen=True, eq=False)
class SurvivalForest:
    """`trees.values` are the survival curves of the nodes, at `ages`."""

    trees: FlatForest
    ages: Floats

    @classmethod
    def fit(
        cls, gaps: Gaps, seed: int, floor_s: float = 0.0, ceiling_s: float = np.inf
    ) -> tuple[SurvivalForest, Any]:
        """With the estimator of scikit-learn that grew the trees."""
        from sklearn.ensemble import RandomForestRegressor  # noqa: PLC0415

        own = gaps.where(np.arange(max(0, len(gaps) - ROWS_MAX), len(gaps)))
        ages = ages_of(own, floor_s, ceiling_s)
        weight = recent(len(own))
        grown = RandomForestRegressor(
            TREES, min_samples_leaf=LEAF_MIN, max_features=TRIED, max_samples=DRAWN,
            random_state=seed, n_jobs=1,
        )  # fmt: skip
        grown.fit(_told(own.X), _targets(own, ages), sample_weight=weight)
        trees = FlatForest.of(grown)
        return cls(replace(trees, values=_curves(trees, own, ages, weight)), ages), grown

    def curves(self, X: Floats) -> Floats:
        """(n, ages): survival after each access."""
        return self.trees.predict(_told(X))

    def ttl(
        self, X: Floats, weight: Floats, floor_s: float = 0.0, ceiling_s: float = np.inf
    ) -> Floats:
        """`weight`: what a second costs each entry, in misses."""
        out = np.empty(len(X))
        for start in range(0, len(X), _BATCH):
            part = slice(start, start + _BATCH)
            found = self.curves(X[part])
            out[part] = cheapest(found, self.ages, weight[part], floor_s, ceiling_s)
        return out

    def state(self) -> State:
        return State({}, {**self.trees.arrays(), "ages": self.ages})

    @classmethod
    def of(cls, state: State) -> SurvivalForest:
        return cls(FlatForest.from_arrays(state.arrays), state.arrays["ages"])


def recent(count: int) -> Floats:
    """Weights of accesses in order of time: those of long ago say less of what comes."""
    return np.asarray(0.5 ** ((1.0 - np.arange(count) / max(count, 1)) / HALF_LIFE), np.float64)


def _told(X: Floats) -> Floats:
    return np.nan_to_num(X, nan=_MISSING)


def _targets(gaps: Gaps, ages: Floats) -> Floats:
    """(n, targets): whether used again by an age, or the chance of it; of equal spread."""
    every = np.zeros(len(gaps), np.int64)
    curve = survival(hazards(*counted(every, 1, gaps, ages, np.ones(len(gaps)))))[0]
    seen = gaps.gap[gaps.event & (gaps.gap > 0)]
    cuts = np.quantile(seen, np.linspace(0.1, 0.95, TARGETS)) if len(seen) else ages[-1:]
    left = np.maximum(np.interp(gaps.gap, ages, curve), 1e-9)
    columns = []
    for cut in cuts:
        chance = 1.0 - np.minimum(1.0, float(np.interp(cut, ages, curve)) / left)
        open_ = ~gaps.event & (gaps.gap < cut)
        known = np.where(open_, chance, gaps.event & (gaps.gap <= cut))
        columns.append(known / (known.std() + 1e-9))
    return np.stack(columns, axis=1)


def _curves(trees: FlatForest, gaps: Gaps, ages: Floats, weight: Floats) -> Floats:
    """Of every leaf, from all accesses that end in it; a node that is no leaf has none."""
    every = np.zeros(len(gaps), np.int64)
    prior = hazards(*counted(every, 1, gaps, ages, weight))
    ends = trees.leaves(_told(gaps.X)).astype(np.int64)
    out = np.ones((len(trees.features), len(ages)))
    for column in ends.T:
        nodes, group = np.unique(column, return_inverse=True)
        found = counted(group.reshape(-1), len(nodes), gaps, ages, weight)
        out[nodes] = survival(hazards(*found, prior, STRENGTH))
    return out
