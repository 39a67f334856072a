"""Kaplan-Meier curves of many groups at once, on common ages, and the TTL that costs least.

A group's curve at an age is the share of its entries that were not used again by then, judged from
those still watched at that age. Where few are watched a group leans on the hazard of a larger one:
`strength` of that group's entries are counted among its own at every age.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from memtend.learn.feedback import Floats, Ints
from memtend.learn.ttl.accesses import Gaps

AGES: Final = 96


def ages_of(gaps: Gaps, floor_s: float = 0.0, ceiling_s: float = np.inf) -> Floats:
    """Ascending, from 0: quantiles of the gaps seen, equal steps on a log scale, both bounds."""
    seen = gaps.gap[gaps.event & (gaps.gap > 0)]
    longest = max(float(gaps.gap.max(initial=0.0)), 1.0)
    bounds = [one for one in (floor_s, ceiling_s) if np.isfinite(one)]
    if not len(seen):
        return np.unique([0.0, longest, *bounds])
    least = max(float(np.quantile(seen, 0.005)), 1e-3)
    steps = np.geomspace(least, max(longest, 2 * least), AGES // 2)
    quantiles = np.quantile(seen, np.linspace(0.01, 0.99, AGES // 2), method="higher")
    return np.unique(np.r_[0.0, steps, quantiles, bounds])


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


def hazards(
    reused: Floats, ended: Floats, prior: Floats | float = 0.0, strength: float = 0.0
) -> Floats:
    """Of those still watched at an age, the share used again there; 0 where nobody was watched."""
    leaving = reused + ended
    watched = leaving[..., ::-1].cumsum(axis=-1)[..., ::-1] + strength
    found = (reused + strength * np.asarray(prior)) / np.where(watched > 0, watched, 1.0)
    return np.asarray(np.clip(found, 0.0, 1.0), np.float64)


def survival(hazard: Floats) -> Floats:
    """The curve at each age; what lies beyond the last age is left out."""
    return np.asarray(np.cumprod(1.0 - hazard, axis=-1)[..., :-1], np.float64)


def variance(reused: Floats, ended: Floats) -> Floats:
    """Greenwood's, of the logarithm of the curve at each age."""
    leaving = reused + ended
    watched = leaving[..., ::-1].cumsum(axis=-1)[..., ::-1]
    left = watched - reused
    step = np.where(left > 0, reused / np.where(left > 0, watched * left, 1.0), 0.0)
    return np.asarray(np.cumsum(step, axis=-1)[..., :-1], np.float64)


def kept(survival: Floats, ages: Floats) -> Floats:
    """Mean seconds kept up to each age: the area below the curve."""
    area = (survival[..., 1:] + survival[..., :-1]) / 2 * np.diff(ages)
    return np.concatenate([np.zeros((*survival.shape[:-1], 1)), area.cumsum(axis=-1)], axis=-1)


def relative(curves: Floats, ages: Floats, weight: Floats, by_size: Floats | None = None) -> Floats:
    """Expected cost in misses of a TTL of each age, less that of never keeping.

    `weight`: what a second kept costs, one a curve; `by_size`: the same curves with each entry
    counted by its bytes, where one curve is of entries that differ in size. Whether an entry is
    ever used again need not be known: a reuse after every TTL is no fault of one more than another.
    """
    stored = curves if by_size is None else by_size
    return weight[:, None] * kept(stored, ages) - (1.0 - curves)


def cheapest(
    curves: Floats,
    ages: Floats,
    weight: Floats,
    floor_s: float = 0.0,
    ceiling_s: float = np.inf,
    by_size: Floats | None = None,
) -> Floats:
    """The TTL that costs least within the bounds, one a curve; the shortest of equals."""
    cost = relative(curves, ages, weight, by_size)
    cost[:, (ages < floor_s) | (ages > ceiling_s)] = np.inf
    return np.asarray(np.clip(ages[cost.argmin(axis=1)], floor_s, ceiling_s), np.float64)
