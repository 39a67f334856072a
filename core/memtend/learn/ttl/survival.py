"""Kaplan-Meier curves of many groups at once, on common ages, and the TTL that costs least.

A group's curve at an age is the share of its entries that were not used again by then, judged from
those still watched at that age. What lies beyond the longest watch is not guessed: there no reuse
is counted and keeping still costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from memtend.learn.ttl.accesses import Gaps

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
AGES: Final = 96


def ages_of(gaps: Gaps, count: int = AGES) -> Floats:
    """Ascending, from 0: quantiles of the gaps seen, and equal steps on a log scale."""
    seen = gaps.gap[gaps.event & (gaps.gap > 0)]
    longest = float(gaps.gap.max(initial=1.0))
    if not len(seen):
        return np.array([0.0, longest])
    least = max(float(np.quantile(seen, 0.005)), 1e-3)
    steps = np.geomspace(least, max(longest, 2 * least), count // 2)
    quantiles = np.quantile(seen, np.linspace(0.01, 0.99, count // 2), method="higher")
    return np.unique(np.r_[0.0, steps, quantiles])


@dataclass(frozen=True, eq=False)
class Curves:
    """(groups, ages): survival at each age, and the mean seconds (by size) kept up to it."""

    ages: Floats
    survival: Floats
    kept: Floats

    def expected(self, weight: Floats) -> Floats:
        """Cost relative to never keeping, of a TTL of each age; `weight`: misses a second kept."""
        return weight[:, None] * self.kept - (1.0 - self.survival)


def counted(
    group: Ints, groups: int, gaps: Gaps, ages: Floats, weight: Floats
) -> tuple[Floats, Floats]:
    """Weights of reuses and of ended watches, by group and age: j holds those after a[j-1]."""
    # A watch that ended within a step was there at its start: it counts at the age before.
    reused = np.searchsorted(ages, gaps.gap, side="left")
    ended = np.searchsorted(ages, gaps.gap, side="right") - 1
    width = len(ages) + 1
    cells = groups * width
    event = gaps.event
    found = [
        np.bincount(group[rows] * width + at[rows], weight[rows], cells)
        for rows, at in ((event, reused), (~event, ended))
    ]
    d, c = (one.astype(np.float64).reshape(groups, width) for one in found)
    return d, c


def survival(reused: Floats, ended: Floats) -> Floats:
    """Kaplan-Meier from counts by age; 1 where nobody was watched."""
    leaving = reused + ended
    after = leaving[:, ::-1].cumsum(axis=1)[:, ::-1]  # reused or ended at this age or later
    with np.errstate(invalid="ignore", divide="ignore"):
        hazard = np.where(after > 0, reused / after, 0.0)
    staying = 1.0 - np.clip(hazard, 0.0, 1.0)
    return np.asarray(np.cumprod(staying, axis=1)[:, :-1], np.float64)


def kept(survival: Floats, ages: Floats) -> Floats:
    """Mean seconds kept up to each age: the area below the curve."""
    steps = np.diff(ages)
    area = (survival[:, 1:] + survival[:, :-1]) / 2 * steps
    return np.concatenate([np.zeros((len(survival), 1)), area.cumsum(axis=1)], axis=1)
