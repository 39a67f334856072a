"""Fit TTLs to accesses: survival of each key class, the TTL that costs least, and the gate.

Everything is judged on the last part of the log by what was known before it; what does not beat the
incumbent there beyond its interval is not adopted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from memtend.errors import AccessesUnusable
from memtend.learn.ttl.accesses import Accesses, Gaps
from memtend.learn.ttl.classes import ClassCurves
from memtend.learn.ttl.deciding import Decision
from memtend.learn.ttl.fitted import FittedTtl
from memtend.learn.ttl.forest import SurvivalForest
from memtend.learn.ttl.incumbents import Given
from memtend.learn.ttl.rows import Bounds

HELD_OUT: Final = 0.3  # of the accesses, the latest
FOREST_MIN: Final = 400  # accesses known before that, for trees to say more than a table


def fit_ttl(
    accesses: Accesses,
    *,
    break_even_s: float,
    seed: int,
    incumbent_s: Given = None,
    floor_s: float = 0.0,
    ceiling_s: float = math.inf,
) -> FittedTtl:
    """`break_even_s`: for how long an entry of mean size may be kept for the price of one miss.
    `incumbent_s`: the TTL in force, for all or by class name (`inf`: for ever); if None, the best
    fixed one of each class on the past. Equal arguments give an equal fit.

    Raises `AccessesUnusable` where there are no accesses."""
    bounds = Bounds(floor_s, ceiling_s)
    learned = learn(accesses.gaps, accesses.cls_names, seed=seed, bounds=bounds)
    return learned.at(break_even_s, incumbent_s)


@dataclass(frozen=True, eq=False)
class Fitted:
    """What does not depend on the price: curves of classes, and the forest where there is one."""

    gaps: Gaps
    classes: ClassCurves
    forest: SurvivalForest | None
    grown: Any  # scikit-learn's

    @classmethod
    def of(cls, gaps: Gaps, count: int, seed: int, bounds: Bounds, trees: bool) -> Fitted:
        classes = ClassCurves.fit(gaps, count, *bounds)
        forest, grown = SurvivalForest.fit(gaps, seed, *bounds) if trees else (None, None)
        return cls(gaps, classes, forest, grown)


@dataclass(frozen=True, eq=False)
class Learned:
    """Fits of the past and of all; policies at any price are made of them in little time."""

    names: tuple[str, ...]
    seed: int
    bounds: Bounds
    past: Fitted
    later: Gaps
    all: Fitted

    def at(self, break_even_s: float, incumbent_s: Given = None) -> FittedTtl:
        """As `fit_ttl`, with its bounds and seed."""
        return Decision(self, break_even_s, incumbent_s).fitted()


def learn(gaps: Gaps, names: tuple[str, ...], *, seed: int, bounds: Bounds) -> Learned:
    """Rows in order of time. Raises `AccessesUnusable` where there are none."""
    if not len(gaps):
        raise AccessesUnusable(why="there are none")
    cut = float(gaps.t[int(len(gaps) * (1 - HELD_OUT))])
    past, later = gaps.known_at(cut), gaps.since(cut)
    if not len(past):
        past, later = gaps, gaps.where(np.zeros(0, np.int64))
    trees = len(past) >= FOREST_MIN and bool(past.event.any())
    count = len(names)
    before = Fitted.of(past, count, seed, bounds, trees)
    now = Fitted.of(gaps, count, seed, bounds, trees)
    return Learned(names, seed, bounds, before, later, now)
