"""What a TTL costs: bytes kept times seconds, and reads that came too late.

Counted in misses: keeping an entry of mean size for the break-even time costs as much as one read
of what has expired. After each access the entry is kept until it is used again, at most its TTL;
first uses are nobody's fault. An entry that is never used again costs what it was kept.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from memtend.learn.feedback import Floats
from memtend.learn.ttl.accesses import Gaps


class Price(NamedTuple):
    """`rate`: what a byte kept for a second costs, in misses."""

    rate: float
    break_even_s: float

    @classmethod
    def of(cls, break_even_s: float, mean_size: float) -> Price:
        return cls(1.0 / (mean_size * break_even_s), break_even_s)


class Cost(NamedTuple):
    """A mean over accesses."""

    cost: float  # in misses
    misses: float  # share of accesses whose entry was used again, but too late
    byte_s: float  # bytes times seconds


def kept_s(gaps: Gaps, ttl_s: Floats | float) -> Floats:
    """Seconds each entry was kept: to its next use or its TTL, or until the log ends."""
    return np.minimum(gaps.gap, ttl_s)


def late(gaps: Gaps, ttl_s: Floats | float) -> NDArray[np.bool_]:
    """Used again after its TTL."""
    return gaps.event & (gaps.gap > ttl_s)


def costs(gaps: Gaps, ttl_s: Floats | float, price: Price) -> Floats:
    """Of each access, in misses."""
    return price.rate * gaps.size * kept_s(gaps, ttl_s) + late(gaps, ttl_s)


def clairvoyant(gaps: Gaps, price: Price) -> Floats:
    """The least that anybody could have paid who knows the future."""
    return np.where(gaps.event, np.minimum(price.rate * gaps.size * gaps.gap, 1.0), 0.0)


def mean_cost(gaps: Gaps, ttl_s: Floats | float, price: Price) -> Cost:
    if not len(gaps):
        return Cost(0.0, 0.0, 0.0)
    byte_s = float(np.mean(gaps.size * kept_s(gaps, ttl_s)))
    misses = float(np.mean(late(gaps, ttl_s)))
    return Cost(price.rate * byte_s + misses, misses, byte_s)
