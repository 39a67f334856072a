"""What came of two strategies in the same circumstances, and how far apart that is.

Where the propensity of every choice is known, each outcome counts for as many as it stands for, so
that a coordinator's habits do not look like merits. Where it is not, outcomes are only counted.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from memtend.learn.feedback import Floats, Ints
from memtend.learn.significance import Z90, Share, normal_of, two_sided, wilson

Bools = NDArray[np.bool_]


class Told(NamedTuple):
    """Outcomes as columns, in the order of time. `weight` is all ones where any propensity of
    interest is unknown."""

    at_ms: Ints
    strategy: Ints
    success: Floats
    seconds: Floats
    cost: Floats
    weight: Floats
    task: Ints
    strategies: tuple[str, ...]
    tasks: tuple[str, ...]
    drawn: bool
    """Whether every propensity is known."""

    def __len__(self) -> int:
        return len(self.at_ms)


class Difference(NamedTuple):
    """`better` minus `worse`, with its 90 % interval and its chance where there is none."""

    value: float
    low: float
    high: float
    z: float

    @property
    def chance(self) -> float:
        return two_sided(self.z)


def share(told: Told, rows: Bools) -> Share:
    """How often it succeeded in these rows."""
    value, effective = _mean(told.success[rows], told.weight[rows])
    return Share(value, *wilson(value, effective), int(rows.sum()))


def of_success(told: Told, one: Bools, other: Bools) -> Difference:
    """A pseudo-observation of each kind on either side keeps few successes from looking sure
    (after Agresti and Caffo)."""
    spread, centres = 0.0, []
    for rows in (one, other):
        value, effective = _mean(told.success[rows], told.weight[rows])
        centre = (value * effective + 1) / (effective + 2)
        centres.append(centre)
        weighted = told.weight[rows] * (told.success[rows] - centre)
        seen = float(weighted @ weighted) / max(float(told.weight[rows].sum()) ** 2, 1e-300)
        spread += max(centre * (1 - centre) / (effective + 2), seen)
    return _difference(centres[0] - centres[1], math.sqrt(spread))


def of_time(told: Told, one: Bools, other: Bools) -> Difference:
    """How much longer, as the logarithm of the ratio of the times (Welch's test)."""
    means, errors, freedom = [], [], 0.0
    for rows in (one, other):
        known = rows & (told.seconds > 0)
        logs, weight = np.log(told.seconds[known]), told.weight[known]
        mean, effective = _mean(logs, weight)
        spread = float(weight @ (logs - mean) ** 2 / max(weight.sum(), 1e-300))
        error = spread / max(effective - 1, 1e-9)
        means.append(mean)
        errors.append(error)
        freedom += error * error / max(effective - 1, 1e-9)
    error = sum(errors)
    if not error > 0:
        return Difference(means[0] - means[1], -math.inf, math.inf, 0.0)
    found = _difference(means[0] - means[1], math.sqrt(error))
    return found._replace(z=normal_of(found.z, error * error / freedom))


def typical_seconds(told: Told, rows: Bools) -> Share:
    """The geometric mean of the time it took."""
    known = rows & (told.seconds > 0)
    logs, weight = np.log(told.seconds[known]), told.weight[known]
    mean, effective = _mean(logs, weight)
    spread = float(weight @ (logs - mean) ** 2 / max(weight.sum(), 1e-300))
    half = Z90 * math.sqrt(spread / max(effective - 1, 1e-9))
    return Share(math.exp(mean), math.exp(mean - half), math.exp(mean + half), int(known.sum()))


def _difference(value: float, error: float) -> Difference:
    half = Z90 * error
    return Difference(value, value - half, value + half, value / error if error else 0.0)


def _mean(values: Floats, weight: Floats) -> tuple[float, float]:
    """The weighted mean, and how many equal observations it is worth."""
    total = float(weight.sum())
    if not total > 0:
        return 0.0, 0.0
    return float(values @ weight) / total, total * total / float(weight @ weight)
