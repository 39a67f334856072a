"""How far a probability in one context may lie from what is predicted of it.

    low, high = bands(spreads(log, said, came, part))

Leaves average over contexts that differ. By how much they do cannot be seen in single outcomes, but
in pairs: where of one strategy contexts that are alike were both better than said, and opposite
ones were not, something was missed. The slope of such products of residuals over the likeness of
their contexts is the share of the variance that a line through the features would still explain
(Haseman and Elston, 1972), even where nobody could tell which line. Rows are paired only within
what one model has not seen.

`MISSED` times that share is what was missed in worlds whose truth is known, since not all that is
missed lies on a line; of strategies seldom tried it is `SELDOM` times as much.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from memtend.learn.bandit.logs import BanditLog
from memtend.learn.feedback import Floats, Ints

LEVEL: Final = 0.90
MISSED: Final = 2.6
SELDOM: Final = 2.5
ROW_COUNTS: Final = 0.7
"""A row for its strategy's own level; the pooling has spent the rest."""
PRIOR_ROWS: Final = 3.0
_LARGEST: Final = 0.6
_NOTICED: Final = 0.25
"""Standard errors of the slope: at least so much is taken to be missed."""
_LEAST_VARIANCE: Final = 0.02
_PAIRED: Final = 1_500
_KNOTS: Final = 129


def spreads(log: BanditLog, said: Floats, came: Floats, part: Ints) -> Floats:
    """Of each strategy the variance of probabilities around `said`, in shares of p (1 - p). Of rows
    not seen: what was `said` and what `came`, and which `part` of the rows each belongs to."""
    slope, error = _slope(log, said, came, part)
    counts = log.counts.astype(np.float64)
    usual = float((counts**2).sum() / counts.sum())
    often = np.minimum(1.0, counts / usual)
    missed = MISSED * max(slope, _NOTICED * error) * (SELDOM - (SELDOM - 1) * often)
    return np.minimum(missed + 1 / (ROW_COUNTS * counts + PRIOR_ROWS), _LARGEST)


def bands(spread: Floats) -> tuple[Floats, Floats]:
    """The ends of the intervals at evenly spaced probabilities, (strategies, knots) each."""
    from scipy.special import betaincinv  # noqa: PLC0415

    likely = np.clip(np.linspace(0, 1, _KNOTS), 1e-4, 1 - 1e-4)
    rows = (1 / spread - 1)[:, None]
    low, high = (
        betaincinv(likely * rows, (1 - likely) * rows, end)
        for end in ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    )
    return np.minimum(low, likely), np.maximum(high, likely)


def _slope(log: BanditLog, said: Floats, came: Floats, part: Ints) -> tuple[float, float]:
    """Of products of residuals over likeness, through 0; and its error where nothing is missed."""
    left = (came - said) / np.sqrt(np.maximum(said * (1 - said), _LEAST_VARIANCE))
    known = _ranked(log.X)
    above, below = 0.0, 0.0
    if not known.shape[1]:
        return 0.0, 0.0
    for number in np.unique(part):
        rows = np.flatnonzero(part == number)[-_PAIRED:]
        alike = known[rows] @ known[rows].T / known.shape[1]
        alike *= log.logged[rows][:, None] == log.logged[rows]
        np.fill_diagonal(alike, 0.0)
        above += float(left[rows] @ alike @ left[rows]) / 2
        below += float((alike**2).sum()) / 2
    return (above / below, below**-0.5) if below > 0 else (0.0, 0.0)


def _ranked(X: Floats) -> Floats:
    """Features as standardized ranks, missing ones in the middle; those that vary."""
    ranked = np.zeros(X.shape)
    for column, values in zip(ranked.T, X.T, strict=True):
        seen = ~np.isnan(values)
        order = np.sort(values[seen])
        if len(order):
            both = (np.searchsorted(order, values[seen], side) for side in ("left", "right"))
            column[seen] = sum(both) / (2 * len(order)) - 0.5
    ranked -= ranked.mean(axis=0)
    spread = ranked.std(axis=0)
    return np.asarray(ranked[:, spread > 1e-9] / spread[spread > 1e-9])
