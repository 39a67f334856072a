"""Shares and means over keys, with intervals: accesses of one key are no independent evidence.

A key that is read a thousand times in vain is one key. What is counted is counted by key, and the
interval is as wide as the keys differ. Plain arithmetic: whoever watches needs no numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from memtend.learn.significance import Z90, wilson


class Count(NamedTuple):
    """Of one key: `part` out of `whole`."""

    part: float
    whole: float


class Interval(NamedTuple):
    """With the value in the middle, and of how many keys it is."""

    low: float
    value: float
    high: float
    keys: int


def ratio(counts: Sequence[Count]) -> tuple[float, float, int]:
    """The parts over the wholes, the variance of that between keys, and how many keys there are."""
    counts = [one for one in counts if one.whole > 0]
    whole = sum(one.whole for one in counts)
    if not whole:
        return 0.0, 0.0, 0
    value, keys = sum(one.part for one in counts) / whole, len(counts)
    if keys == 1:
        return value, 0.0, 1
    spread = sum((one.part - value * one.whole) ** 2 for one in counts)
    return value, spread * keys / (keys - 1) / whole**2, keys


def share(counts: Sequence[Count]) -> Interval:
    """A share, by Wilson's interval for as many independent reads as these are worth.

    >>> low, value, high, keys = share([Count(1, 1)] + [Count(0, 1)] * 9)
    >>> round(low, 2), value, round(high, 2), keys
    (0.02, 0.1, 0.36, 10)
    """
    value, variance, keys = ratio(counts)
    if not keys:
        return Interval(0.0, 0.0, 1.0, 0)
    reads = sum(one.whole for one in counts)
    simple = value * (1 - value) / reads
    # At nought and at one the keys do not differ: then each of them counts once.
    worth = min(reads, reads * simple / variance) if simple and variance else min(reads, keys)
    low, high = wilson(value, worth)
    return Interval(low, value, high, keys)


def difference(one: Sequence[Count], other: Sequence[Count]) -> Interval:
    """What the first has more than the second, of a mean over accesses."""
    value, variance, keys = ratio(one)
    value_2, variance_2, keys_2 = ratio(other)
    half = Z90 * sqrt(variance + variance_2)
    gap = value - value_2
    return Interval(gap - half, gap, gap + half, min(keys, keys_2))
