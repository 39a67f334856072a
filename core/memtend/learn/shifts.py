"""Where two samples of contexts differ: numbers by their distributions, names by their counts.

A context comes once with each outcome, whatever was followed; so nothing here looks at outcomes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from memtend.learn.conditions import Flat, labels, numbers, sets
from memtend.learn.feedback import Floats
from memtend.learn.significance import bridge_tail, chi_square_tail

_NAMES_MAX: Final = 20
_EXPECTED_MIN: Final = 5


class Moved(NamedTuple):
    """One feature: the share of the contexts that would have to change for both samples to be
    alike, and the chance of as much where nothing has changed."""

    feature: str
    share: float
    chance: float


def moved(flat: Sequence[Flat], cut: int) -> Iterator[Moved]:
    """Every feature, before `cut` and from there on."""
    for name, values in numbers(flat).items():
        yield _distance(name, values[:cut], values[cut:])
    for name, told in labels(flat).items():
        if len(set(told)) <= len(flat) / 2:  # else an id
            yield _counts(name, [one or "" for one in told], cut)
    for name, held in sets(flat).items():
        common = Counter(item for one in held for item in one)
        for item, _ in common.most_common(_NAMES_MAX):
            yield _counts(f"{name} has {item}", [str(item in one) for one in held], cut)


def _distance(name: str, old: Floats, new: Floats) -> Moved:
    """After Kolmogorov and Smirnov; what is missing lies below everything."""
    a, b = (np.sort(np.where(np.isnan(one), -np.inf, one)) for one in (old, new))
    points = np.concatenate([a, b])
    below = [np.searchsorted(one, points, side="right") / len(one) for one in (a, b)]
    gap = float(np.abs(below[0] - below[1]).max())
    return Moved(name, gap, bridge_tail(gap * math.sqrt(len(a) * len(b) / len(points))))


def _counts(name: str, told: Sequence[str], cut: int) -> Moved:
    """Chi-square of two samples; names that are rare in either are one."""
    old, new = Counter(told[:cut]), Counter(told[cut:])
    n, m = cut, len(told) - cut
    common = [one for one, _ in (old + new).most_common(_NAMES_MAX)]
    enough = _EXPECTED_MIN * len(told) / min(n, m)
    cells = [(old[one], new[one]) for one in common if old[one] + new[one] >= enough]
    rest = (n - sum(a for a, _ in cells), m - sum(b for _, b in cells))
    if sum(rest) >= enough:
        cells.append(rest)
    if len(cells) < 2:
        return Moved(name, 0.0, 1.0)
    square = sum((m * a - n * b) ** 2 / (a + b) for a, b in cells) / (n * m)
    gap = sum(abs(a / n - b / m) for a, b in cells) / 2
    return Moved(name, gap, chi_square_tail(square, len(cells) - 1))
