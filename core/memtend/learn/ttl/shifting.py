"""When the time to come is not like the past: classes whose reuse changed, and a price against it.

A policy fitted to the past and followed over the held-out time would have done better at another
price where reuse has become rarer or more frequent. Half of that (on a log scale) is carried over
to the time to come, and only where the gain is beyond its interval.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from memtend.learn.ttl.accesses import Gaps
from memtend.learn.ttl.classes import ClassCurves
from memtend.learn.ttl.forest import SurvivalForest
from memtend.learn.ttl.judging import saving
from memtend.learn.ttl.objective import Price, costs
from memtend.learn.ttl.rows import Bounds
from memtend.learn.ttl.survival import cheapest, counted, hazards, survival, variance

Floats = NDArray[np.float64]
FACTORS: Final = (1 / 4, 1 / 2, 1 / 1.4, 1.4, 2.0, 4.0)
ROWS_MAX: Final = 6_000
DRIFT_MIN: Final = 0.1  # of the accesses, used again earlier or later than expected
DRIFT_SIGMAS: Final = 4.0


def tilt(forest: SurvivalForest, later: Gaps, price: Price, bounds: Bounds, seed: int) -> float:
    """What the price is multiplied by; 1 where the held-out time does not ask for another."""
    rows = np.unique(np.linspace(0, len(later) - 1, ROWS_MAX).astype(np.int64))
    some = later.where(rows)
    curves = forest.curves(some.X)

    def costs_at(factor: float) -> Floats:
        weight = price.rate * factor * some.size
        return costs(some, cheapest(curves, forest.ages, weight, *bounds), price)

    plain = costs_at(1.0)
    tried = {factor: costs_at(factor) for factor in FACTORS}
    best = min(FACTORS, key=lambda factor: float(tried[factor].sum()))
    return best**0.5 if saving(tried[best], plain, seed).low > 0 else 1.0


def drifted(classes: ClassCurves, later: Gaps, break_even_s: float) -> tuple[int, ...]:
    """Classes of which another share is used again by the break-even age than was before."""
    count = len(classes.whole)
    found = counted(later.cls, count, later, classes.ages, np.ones(len(later)))
    at = min(int(np.searchsorted(classes.ages, break_even_s)), len(classes.ages) - 1)
    now = survival(hazards(*found))[:, at]
    error = now * np.sqrt(variance(*found)[:, at])
    there = np.bincount(later.cls, minlength=count) > 0
    moved = np.abs(now - classes.whole[:, at])
    far = there & (moved > DRIFT_MIN) & (moved > DRIFT_SIGMAS * error)
    return tuple(np.flatnonzero(far).tolist())
