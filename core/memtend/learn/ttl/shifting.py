"""When the time to come is not like the past: classes whose reuse changed, and a price against it.

A policy fitted to the past and followed over the held-out time would have done better at another
price where reuse has become rarer or more frequent. Half of that (on a log scale) is carried over
to the time to come, and only where the gain is beyond its interval.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from memtend.learn.evenly import evenly
from memtend.learn.feedback import Floats
from memtend.learn.ttl.accesses import Gaps
from memtend.learn.ttl.forest import SurvivalForest
from memtend.learn.ttl.judging import saving
from memtend.learn.ttl.objective import Price, costs
from memtend.learn.ttl.rows import Bounds
from memtend.learn.ttl.survival import (
    ages_of,
    cheapest,
    counted,
    hazards,
    survival,
    variance,
)

FACTORS: Final = (1 / 4, 1 / 2, 1 / 1.4, 1.4, 2.0, 4.0)
ROWS_MAX: Final = 6_000
DRIFT_MIN: Final = 0.1  # of the accesses, used again earlier or later than expected
DRIFT_SIGMAS: Final = 3.0


def tilt(forest: SurvivalForest, later: Gaps, price: Price, bounds: Bounds, seed: int) -> float:
    """What the price is multiplied by; 1 where the held-out time does not ask for another."""
    rows = evenly(len(later), ROWS_MAX)
    some = later.where(rows)
    curves = forest.curves(some.X)

    def costs_at(factor: float) -> Floats:
        weight = price.rate * factor * some.size
        return costs(some, cheapest(curves, forest.ages, weight, *bounds), price)

    plain = costs_at(1.0)
    tried = {factor: costs_at(factor) for factor in FACTORS}
    best = min(FACTORS, key=lambda factor: float(tried[factor].sum()))
    return best**0.5 if saving(tried[best], plain, seed).low > 0 else 1.0


def drifted(past: Gaps, later: Gaps, classes: int, break_even_s: float) -> tuple[int, ...]:
    """Classes of which another share is used again by the break-even age than was before."""
    ages = np.array([0.0, break_even_s])
    shares, errors, there = [], [], []
    for gaps in (past, later):
        found = counted(gaps.cls, classes, gaps, _within(gaps, ages), np.ones(len(gaps)))
        left = survival(hazards(*found))[:, -1]
        count = np.bincount(gaps.cls, minlength=classes)
        shares.append(left)
        errors.append(left**2 * variance(*found)[:, -1] + 0.25 / np.maximum(count, 1))
        there.append(count > 0)
    moved = np.abs(shares[0] - shares[1])
    far = (moved > DRIFT_MIN) & (moved > DRIFT_SIGMAS * np.sqrt(errors[0] + errors[1]))
    return tuple(np.flatnonzero(far & there[0] & there[1]).tolist())


def _within(gaps: Gaps, ages: Floats) -> Floats:
    """Ages up to the last, in steps fine enough that censoring between them is told."""
    own = ages_of(gaps)
    return np.unique(np.r_[own[own < ages[-1]], ages])
