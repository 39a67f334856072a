"""How sure a difference is: tails, intervals, and what many looks at the same data cost.

Closed forms that need nothing but arithmetic, so that looking at outcomes loads no statistics
package; each is within a few per cent of the exact tail where it is used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

Z90: Final = 1.6448536269514722
"""Of the 90 % intervals in which everything here is told."""
_TERMS: Final = 100


class Share(NamedTuple):
    """A figure, its 90 % interval, and how many observations it rests on."""

    value: float
    low: float
    high: float
    outcomes: int


def two_sided(z: float) -> float:
    """The chance of a standard normal at least this far from 0."""
    return math.erfc(abs(z) / math.sqrt(2))


def normal_of(t: float, freedom: float) -> float:
    """The normal deviate that is as unlikely as Student's `t` (after Wallace)."""
    if freedom < 1:
        return 0.0
    scale = (8 * freedom + 1) / (8 * freedom + 3)
    return math.copysign(scale * math.sqrt(freedom * math.log1p(t * t / freedom)), t)


def chi_square_tail(value: float, freedom: int) -> float:
    """The chance of a chi-square at least this large (after Wilson and Hilferty)."""
    if freedom < 1 or value <= 0:
        return 1.0
    spread = 2 / (9 * freedom)
    z = ((value / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return math.erfc(z / math.sqrt(2)) / 2


def bridge_tail(value: float) -> float:
    """The chance that a Brownian bridge ever leaves ±`value` (Kolmogorov's distribution).

    What a cumulative sum of noise does, and the largest distance of two samples' distributions.
    """
    if value < 0.2:
        return 1.0
    terms = ((-1) ** (k - 1) * math.exp(-2 * (k * value) ** 2) for k in range(1, _TERMS))
    return min(1.0, max(0.0, 2 * math.fsum(terms)))


def wilson(value: float, count: float) -> tuple[float, float]:
    """The 90 % interval of a share; `count` may be an effective one. Of no observation, all."""
    if count <= 0:
        return 0.0, 1.0
    share, squared = min(max(value, 0.0), 1.0), Z90 * Z90
    middle = (share + squared / (2 * count)) / (1 + squared / count)
    spread = math.sqrt(share * (1 - share) / count + squared / (4 * count * count))
    half = Z90 * spread / (1 + squared / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def adjusted(chances: Sequence[float]) -> list[float]:
    """Each chance as the false discovery rate at which it would be told (Benjamini-Hochberg).

    Where nothing is there to be found, telling what stays below 5 % tells anything at all in 5 %
    of all cases.
    """
    order = sorted(range(len(chances)), key=lambda one: chances[one], reverse=True)
    found, least = [1.0] * len(chances), 1.0
    for place, one in enumerate(order):
        least = min(least, chances[one] * len(chances) / (len(chances) - place))
        found[one] = least
    return found
