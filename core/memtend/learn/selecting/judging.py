"""What a policy gains over the incumbent on rows it has not seen, and how sure that is."""

from __future__ import annotations

from typing import Final

import numpy as np

from memtend.learn.feedback import Floats, Ints
from memtend.learn.selecting.report import Candidate

GATE_ERRORS: Final = 1.0
"""By so many standard errors must a gain exceed nothing: a one-sided bound of 84 %."""
_RESAMPLED: Final = 400
_LEVEL: Final = (0.05, 0.95)


def judged(
    name: str, costs: Floats, chosen: Ints, incumbent: int, rng: np.random.Generator
) -> Candidate:
    """Costs of all strategies in rows that the policy had not seen when it chose."""
    gain = gains(costs, chosen, incumbent)
    possible = costs[:, incumbent] - costs.min(axis=1)
    n = len(gain)
    means, shares = np.empty(_RESAMPLED), np.empty(_RESAMPLED)
    for turn in range(_RESAMPLED):
        rows = rng.integers(0, n, n)
        means[turn] = gain[rows].mean()
        shares[turn] = _share(gain[rows], possible[rows])
    low, high = np.quantile(means, _LEVEL)
    closed_low, closed_high = np.quantile(shares, _LEVEL)
    return Candidate(
        name=name,
        gain=float(gain.mean()),
        gain_low=float(low),
        gain_high=float(high),
        standard_error=standard_error(gain),
        closed=_share(gain, possible),
        closed_low=float(closed_low),
        closed_high=float(closed_high),
        deviates=float((chosen != incumbent).mean()),
    )


def gains(costs: Floats, chosen: Ints, incumbent: int) -> Floats:
    """By how much each row costs less than with the incumbent."""
    return np.asarray(costs[:, incumbent] - costs[np.arange(len(costs)), chosen])


def standard_error(gain: Floats) -> float:
    return float(gain.std(ddof=1) / np.sqrt(len(gain))) if len(gain) > 1 else float("inf")


def clear(gain: Floats) -> bool:
    """Whether the mean is above zero beyond its error."""
    return bool(gain.mean() > GATE_ERRORS * standard_error(gain))


def _share(gain: Floats, possible: Floats) -> float:
    total = float(possible.sum())
    return float(gain.sum()) / total if total > 0 else 0.0
