"""Trying something else than the best known, with the probability of each strategy written down.

Later estimates divide by these probabilities: each of k allowed strategies keeps `rate / k` at
least. Nothing is drawn here: the caller hands in a number from 0 to 1, and the same number chooses
the same strategy:

    >>> import numpy as np
    >>> choice = epsilon_greedy(1, np.ones(4, dtype=bool), rate=0.2, draw=0.1)
    >>> choice.strategy, choice.explored, choice.propensity.round(2).tolist()
    (1, False, [0.05, 0.85, 0.05, 0.05])
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memtend.errors import FeedbackUnusable
from memtend.learn.feedback import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """`propensity` sums to 1 over all strategies; `explored`: another than the best known."""

    strategy: int
    propensity: Floats
    explored: bool


def epsilon_greedy(best: int, allowed: NDArray[np.bool_], *, rate: float, draw: float) -> Choice:
    """The best known, or with probability `rate` any of the allowed, each as likely."""
    greedy = np.zeros(len(allowed))
    greedy[best] = 1.0
    return _drawn(best, greedy, allowed, rate, draw)


def thompson(votes: Floats, allowed: NDArray[np.bool_], *, rate: float, draw: float) -> Choice:
    """Bootstrapped Thompson sampling: a strategy is as likely as members of an ensemble expect it
    to cost least. `votes` are their expected costs, (members, strategies).

    Where the members agree hardly anything but `rate` explores; where they do not, more is tried.
    """
    told = np.where(allowed, votes, np.inf)
    shares = np.bincount(told.argmin(axis=1), minlength=votes.shape[1]) / len(votes)
    return _drawn(int(told.mean(axis=0).argmin()), shares, allowed, rate, draw)


def _drawn(
    best: int, shares: Floats, allowed: NDArray[np.bool_], rate: float, draw: float
) -> Choice:
    if not allowed[best]:
        raise FeedbackUnusable(why="the strategy to prefer is not among those allowed")
    if not (0 <= rate <= 1 and 0 <= draw < 1):
        raise FeedbackUnusable(why="a rate of exploration or a draw lies outside of 0 to 1")
    propensity = (1 - rate) * shares + rate * allowed / allowed.sum()
    propensity = propensity / propensity.sum()
    steps = np.cumsum(propensity)
    possible = np.flatnonzero(propensity > 0)
    strategy = int(min(np.searchsorted(steps, draw, side="right"), possible[-1]))
    return Choice(strategy, propensity, strategy != best)
