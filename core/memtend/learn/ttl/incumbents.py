"""What was in force: the TTL given, or the best fixed one of each class in hindsight."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from memtend.learn.feedback import Floats
from memtend.learn.ttl.accesses import Gaps
from memtend.learn.ttl.objective import Price
from memtend.learn.ttl.survival import ages_of

Given = float | Mapping[str, float] | None


def incumbents(
    past: Gaps,
    names: tuple[str, ...],
    price: Price,
    given: Given,
    floor_s: float = 0.0,
    ceiling_s: float = math.inf,
) -> Floats:
    """Seconds, one a class. A class that is not given is kept for ever."""
    if isinstance(given, Mapping):
        return np.array([float(given.get(name, math.inf)) for name in names])
    if given is not None:
        return np.full(len(names), float(given))
    ages = ages_of(past, floor_s, ceiling_s)
    ages = ages[(ages >= floor_s) & (ages <= ceiling_s)]
    out = np.full(len(names), best_fixed(past, ages, price))
    for code in np.unique(past.cls):
        out[code] = best_fixed(past.where(past.cls == code), ages, price)
    return out


def best_fixed(gaps: Gaps, ages: Floats, price: Price) -> float:
    """Of these ages that which would have cost least: exactly, by sums over sorted gaps."""
    order = np.argsort(gaps.gap, kind="stable")
    gap, size = gaps.gap[order], gaps.size[order]
    ended = np.searchsorted(gap, ages, side="right")
    whole = np.r_[0.0, np.cumsum(size * gap)]
    bytes_ = np.r_[0.0, np.cumsum(size)]
    reused = np.r_[0, np.cumsum(gaps.event[order])]
    kept = whole[ended] + ages * (bytes_[-1] - bytes_[ended])
    return float(ages[int(np.argmin(price.rate * kept + reused[-1] - reused[ended]))])
