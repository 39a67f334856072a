"""What a model would have been worth: fitted to the earlier outcomes, judged on the later ones.

The model that is put in use learns from all outcomes, so none is left to judge it by. What is drawn
is therefore told of its elder brother, which never saw the last part: the same outcomes, the same
policy, three tenths fewer rows. Of long histories the latest rows are taken, for a picture needs no
more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from memtend.learn.offpolicy import CLIP
from memtend.learn.outcomes import OutcomeTable, costs_of
from memtend.learn.picturing import (
    Judged,
    drift_of,
    gap_bars,
    regret_curve,
    reliability,
    successes,
)
from memtend.learn.propensities import estimated_propensities
from memtend.learn.recommender import FittedRecommender, fit_recommender
from memtend.learn.situations import situation
from memtend.learn.told import columns
from memtend.limits_learning import PICTURE_BARS_MAX, PICTURED_ROWS_MAX
from memtend.model import pictures as p

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtend.learn.feedback import Floats, Ints
    from memtend.learn.served import ServedRecommender
    from memtend.model.ended import Ended
    from memtend.model.learnpolicy import LearnPolicy

_LATER: Final = 0.3
"""Of the outcomes, those that judge."""
_PRIOR_ROWS: Final = 5.0


def strategy_pictures(fitted: FittedRecommender, policy: LearnPolicy) -> p.StrategyPictures:
    """Everything that can be drawn of a model. Costs about as much as fitting it did."""
    table = fitted.table
    told, _ = columns(table.rows)
    found = {
        "influences": tuple(
            p.Influence(
                feature=one.field, share=p.Estimate(value=one.share, low=one.low, high=one.high)
            )
            for one in fitted.facts.influences[:PICTURE_BARS_MAX]
            if one.share > 0
        ),
        "successes": successes(told),
        "drift": drift_of(told),
    }
    rows = table.rows[-PICTURED_ROWS_MAX:]
    cut = round(len(rows) * (1 - _LATER))
    if cut < policy.outcomes_min:
        return p.StrategyPictures(**found)
    incumbent = fitted.served.strategies[fitted.served.selector.incumbent]
    earlier = OutcomeTable.of(rows[:cut], policy)
    later = [row for row in rows[cut:] if row.strategy in earlier.strategies]
    if len(later) < 2 or len(earlier.strategies) < 2:
        return p.StrategyPictures(**found)
    known = incumbent if incumbent in earlier.strategies else None
    served = fit_recommender(earlier, policy, incumbent=known).served
    return p.StrategyPictures(**found, **_judged(served, earlier, later))


def _judged(
    served: ServedRecommender, earlier: OutcomeTable, later: Sequence[Ended]
) -> dict[str, object]:
    names = {name: at for at, name in enumerate(served.strategies)}
    logged = np.array([names[str(row.strategy)] for row in later], dtype=np.int64)
    X = served.encoder.transform_many(
        [
            situation(
                row.task_type, row.context, agents=row.agents, at_ms=row.at_ms,
                history=served.history.facts(row.task_type),
            )
            for row in later
        ]
    )  # fmt: skip
    single = np.array([served.incumbent_of(row.task_type) for row in later], dtype=np.int64)
    learned = np.array([served.is_learned(row.task_type) for row in later], dtype=bool)
    chosen = np.where(learned, served.selector.choose(X), single)
    expected = _expected(earlier, later)
    told = _Log(later, logged, costs_of(later, earlier.objective, earlier.scale), expected)
    judged = Judged(
        at_ms=np.array([row.at_ms for row in later], dtype=np.int64),
        learned=told.of(chosen),
        single=told.of(single),
        single_name=served.strategies[served.selector.incumbent],
        oracle=_oracle(served, earlier, X),
    )
    tasks = sorted({row.task_type for row in later})
    place = np.array([tasks.index(row.task_type) for row in later], dtype=np.int64)
    found: dict[str, object] = {
        "regret": regret_curve(judged),
        "gaps": gap_bars(judged, place, tasks, [served.is_learned(task) for task in tasks]),
    }
    if served.success is not None:
        predicted, _, _ = served.success.predict(X, logged)
        found["reliability"] = reliability(predicted, np.array([row.success for row in later]))
    return found


class _Log:
    """What happened, and what was to be expected; the sum of both judges another policy."""

    def __init__(self, rows: Sequence[Ended], logged: Ints, cost: Floats, expected: Floats) -> None:
        known = np.array([row.propensity or np.nan for row in rows], dtype=np.float64)
        tasks = [row.task_type for row in rows]
        shares = estimated_propensities(tasks, logged, expected.shape[1], known)
        at = np.arange(len(rows))
        self._logged, self._expected = logged, expected
        self._weight = np.minimum(1 / shares[at, logged], CLIP)
        self._missed = cost - expected[at, logged]

    def of(self, chosen: Ints) -> Floats:
        """Doubly robust, row by row."""
        told = self._expected[np.arange(len(chosen)), chosen]
        return np.asarray(told + (chosen == self._logged) * self._weight * self._missed)


def _expected(earlier: OutcomeTable, later: Sequence[Ended]) -> Floats:
    """What each strategy cost in tasks of the type, drawn towards what it cost in all."""
    m = len(earlier.strategies)
    tasks = sorted({row.task_type for row in earlier.rows})
    code = {task: at for at, task in enumerate(tasks)}
    cell = np.array([code[row.task_type] for row in earlier.rows]) * m + earlier.logged
    counts = np.bincount(cell, minlength=m * len(tasks)).reshape(-1, m)
    sums = np.bincount(cell, earlier.cost, m * len(tasks)).reshape(-1, m)
    overall = sums.sum(axis=0) + _PRIOR_ROWS * float(earlier.cost.mean())
    means = overall / (counts.sum(axis=0) + _PRIOR_ROWS)
    table = (sums + _PRIOR_ROWS * means) / (counts + _PRIOR_ROWS)
    return np.array(
        [table[code[row.task_type]] if row.task_type in code else means for row in later]
    )


def _oracle(served: ServedRecommender, earlier: OutcomeTable, X: Floats) -> Floats | None:
    """The least that each task could cost, as far as the model knows: a bound, for it takes the
    best of what it believes of each strategy."""
    if served.success is None:
        return None
    n, m = len(X), len(served.strategies)
    every = np.tile(np.arange(m), n)
    likely = served.success.predict(np.repeat(X, m, axis=0), every)[0].reshape(n, m)
    besides = earlier.cost - earlier.objective.failure * (1 - earlier.success)
    counts = np.bincount(earlier.logged, minlength=m)
    usual = np.bincount(earlier.logged, besides, m) / np.maximum(counts, 1)
    costs = earlier.objective.failure * (1 - likely) + usual
    return np.asarray(costs.min(axis=1))
