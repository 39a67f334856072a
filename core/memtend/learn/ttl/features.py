"""What is known of an entry when it is used: made from its past and its namespace's, never later.

Of accesses at one and the same instant each knows how many they are. Logarithms are to base 10 of
seconds plus a millisecond; NaN where the past does not reach. One pass over sorted arrays: a
million accesses take a second or two.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from memtend.learn.feedback import Floats, Ints

FEATURES: Final = (
    "ns", "log_size", "n_prev", "log_last_gap", "log_gap2", "log_gap3", "log_mean_gap",
    "log_min_gap", "log_max_gap", "log_age", "gap_ratio", "hour", "dow", "ns_log_rate",
    "same_time_batch",
)  # fmt: skip
RATE_S: Final = 3600.0  # over which the rate of a namespace fades
_HOUR_S: Final = 3600.0
_DAY_S: Final = 86_400.0


def features(t: Floats, key: Ints, ns: Ints, size: Floats, rate: float = 1.0) -> Floats:
    """(n, features); `t` ascending. `rate`: the share of keys that the log holds."""
    n = len(t)
    X = np.full((n, len(FEATURES)), np.nan)
    if not n:
        return X
    X[:, 0], X[:, 1] = ns, np.log10(size)
    X[:, 11], X[:, 12] = (t / _HOUR_S) % 24, (t / _DAY_S) % 7
    X[:, 13] = _rates(t, ns) - np.log10(rate)
    _, inverse, counts = np.unique(t, return_inverse=True, return_counts=True)
    X[:, 14] = np.log10(counts[inverse.reshape(-1)] / rate)
    order = np.lexsort((np.arange(n), key))
    X[order, 2:11] = _histories(t[order], key[order])
    return X


def _histories(t: Floats, key: Ints) -> Floats:
    """Columns 2 to 10 of accesses sorted by key, then time."""
    n = len(t)
    fresh = np.r_[True, key[1:] != key[:-1]]
    group = np.cumsum(fresh) - 1
    start = np.flatnonzero(fresh)[group]
    before = np.arange(n) - start
    gap = np.r_[np.nan, np.diff(t)]
    gap[fresh] = np.nan
    out = np.full((n, 9), np.nan)
    out[:, 0] = np.log1p(before)
    for column, back in ((1, 0), (2, 1), (3, 2)):
        out[back:, column] = np.where(before[back:] > back, _log(gap[: n - back]), np.nan)
    age = t - t[start]
    old = before > 0
    out[old, 4] = _log(age[old] / before[old])
    least, most = _extremes(gap, old, group)
    out[old, 5], out[old, 6] = _log(least[old]), _log(most[old])
    out[:, 7] = _log(age)
    out[:, 8] = out[:, 1] - out[:, 4]
    return out


def _extremes(gap: Floats, old: NDArray[np.bool_], group: Ints) -> tuple[Floats, Floats]:
    """Least and greatest gap so far within each group: exact, by ranks that groups set apart."""
    values, ranks = np.unique(gap[old], return_inverse=True)
    step = len(values) + 1
    low = np.full(len(gap), len(values), np.int64)
    low[old] = ranks.reshape(-1)
    high = np.full(len(gap), -1, np.int64)
    high[old] = low[old]
    least = np.minimum.accumulate(low - group * step) + group * step
    most = np.maximum.accumulate(high + group * step) - group * step
    padded = np.r_[values, np.nan]
    return padded[np.clip(least, 0, len(values))], padded[np.clip(most, -1, len(values))]


def _rates(t: Floats, ns: Ints) -> Floats:
    """log10 of each namespace's count of accesses, faded over an hour; NaN at its first."""
    out = np.full(len(t), np.nan)
    order = np.argsort(ns, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(ns[order])) + 1):
        at = (t[rows] - t[rows[0]]) / RATE_S
        out[rows] = (np.logaddexp.accumulate(at) - at) / np.log(10)
        out[rows[0]] = np.nan
    return out


def _log(seconds: Floats) -> Floats:
    return np.log10(seconds + 1e-3)
