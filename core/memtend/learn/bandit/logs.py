"""Bandit feedback as a learner wants it: what was done, what it cost, how likely it was.

Costs are brought to mean 0 and spread 1, so that no figure of a learner depends on their unit.
Propensities that nobody wrote down are taken to be the shares of the strategies in the log: right
where the choice did not depend on the context, and said in the report.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from memtend.errors import FeedbackUnusable
from memtend.learn.feedback import Feedback, Floats, Ints

PRIOR_ROWS = 5.0
"""With how many rows of the overall mean a strategy's own mean is taken together."""
TRIED_ROWS = 20
"""Of a strategy, or half of what each has on average, for it to be called the cheapest: what was
tried once and went well is not what is done today."""


@dataclass(frozen=True, slots=True, eq=False)
class BanditLog:
    """n rows; `cost` is standardized: multiply by `spread` and add `center` for the unit of the
    feedback."""

    X: Floats
    logged: Ints
    cost: Floats
    propensity: Floats  # (n, m)
    incumbent: int
    center: float
    spread: float
    propensities_known: bool
    ordered: bool = False
    """Whether rows are in the order of time."""

    def __len__(self) -> int:
        return len(self.X)

    @property
    def strategies(self) -> int:
        return int(self.propensity.shape[1])

    @property
    def counts(self) -> Ints:
        """Rows of each strategy."""
        return np.bincount(self.logged, minlength=self.strategies)

    def means(self) -> Floats:
        """The mean cost of each strategy, drawn towards the overall one where rows are few."""
        total = np.bincount(self.logged, weights=self.cost, minlength=self.strategies)
        return np.asarray((total + PRIOR_ROWS * self.cost.mean()) / (self.counts + PRIOR_ROWS))

    def rows(self, which: Ints) -> BanditLog:
        return BanditLog(
            self.X[which], self.logged[which], self.cost[which], self.propensity[which],
            self.incumbent, self.center, self.spread, self.propensities_known, self.ordered,
        )  # fmt: skip


def bandit_log(feedback: Feedback, rows_max: int) -> BanditLog:
    """The latest rows whose strategy and cost are known. Raises `FeedbackUnusable` if there is
    none."""
    if feedback.at is not None:
        feedback = feedback.rows(np.argsort(feedback.at, kind="stable"))
    logged = _logged(feedback)
    cost = feedback.costs[np.arange(len(feedback)), np.maximum(logged, 0)]
    seen = np.flatnonzero((logged >= 0) & np.isfinite(cost))[-rows_max:]
    if not len(seen):
        raise FeedbackUnusable(why="of no row both the strategy and its cost are known")
    logged, cost = logged[seen], cost[seen]
    known = feedback.propensity is not None
    propensity = _shares(logged, len(feedback.strategies), len(seen))
    if feedback.propensity is not None:
        propensity = np.nan_to_num(feedback.propensity[seen], nan=0.0)
    center, spread = float(cost.mean()), float(cost.std()) or 1.0
    log = BanditLog(
        feedback.X[seen], logged, (cost - center) / spread, propensity, -1, center, spread, known,
        feedback.at is not None,
    )  # fmt: skip
    incumbent = feedback.incumbent if feedback.incumbent is not None else _incumbent(log)
    return replace(log, incumbent=incumbent)


def _logged(feedback: Feedback) -> Ints:
    """The strategy followed; where nobody says, the one whose cost is known, if it is one."""
    if feedback.logged is not None:
        return np.asarray(feedback.logged, dtype=np.int64)
    seen = np.isfinite(feedback.costs)
    return np.where(seen.sum(axis=1) == 1, seen.argmax(axis=1), -1).astype(np.int64)


def _shares(logged: Ints, strategies: int, n: int) -> Floats:
    return np.tile(np.bincount(logged, minlength=strategies) / n, (n, 1))


def _incumbent(log: BanditLog) -> int:
    """Whom the logging policy preferred; if it preferred nobody, the cheapest on average."""
    likely = log.propensity.mean(axis=0)
    if likely.max() > 1.5 / log.strategies:
        return int(likely.argmax())
    enough = log.counts >= min(TRIED_ROWS, log.counts.mean() / 2)
    return int(np.where(enough, log.means(), np.inf).argmin())
