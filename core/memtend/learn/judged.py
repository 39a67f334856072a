"""Outcomes as a model would have met them, to judge it by: what it would do, and what it expects.

The model is asked as it serves, with the history of its fit, and without its exploration: what it
knows is judged, not what it tries to learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from memtend.learn.feedback import Floats, Ints
from memtend.learn.offpolicy import Logged
from memtend.learn.outcomes import OutcomeTable
from memtend.learn.served import ServedRecommender
from memtend.learn.situations import decided_ms, situation
from memtend.limits_learning import JUDGED_ROWS_MIN
from memtend.model.ended import Ended

_SEEN_MIN: Final = 20
"""Of a strategy, for it to be called the best single one."""


@dataclass(frozen=True, slots=True, eq=False)
class Met:
    """`strategy` and `chosen` count in the model's strategies: what was followed, what the model
    would have named; `usual` is its incumbent there. `expected` are costs, (n, m)."""

    rows: tuple[Ended, ...]
    X: Floats
    strategy: Ints
    success: Floats
    log: Logged
    chosen: Ints
    usual: Ints
    expected: Floats

    @property
    def task_types(self) -> list[str]:
        return [one.task_type for one in self.rows]


def met_by(served: ServedRecommender, table: OutcomeTable) -> Met | None:
    """Those that name a strategy which the model knows; None where these are too few."""
    followed = _followed(served, table.rows)
    known = followed >= 0
    if int(known.sum()) < JUDGED_ROWS_MIN:
        return None
    rows = tuple(one for one, is_known in zip(table.rows, known, strict=True) if is_known)
    strategy = followed[known]
    cost = table.cost[known]
    shares = _propensities(table)[known]
    log = Logged(strategy, cost, shares)
    X = served.encoder.transform_many(_situations(served, rows))
    expected = served.selector.expected(X)
    # What a selector expects may be relative: what all rows have in common is taken from them.
    expected = expected + float((cost - expected[np.arange(len(rows)), strategy]).mean())
    usual = np.array([served.incumbent_of(one.task_type) for one in rows], dtype=np.int64)
    learned = np.array([served.is_learned(one.task_type) for one in rows], dtype=bool)
    chosen = np.where(learned, served.selector.choose(X), usual)
    return Met(rows, X, strategy, table.success[known], log, chosen, usual, expected)


def expected_success(served: ServedRecommender, rows: Sequence[Ended]) -> Floats | None:
    """Of the strategy that was followed; NaN where the model does not know it. None where the model
    predicts no success."""
    if served.success is None:
        return None
    strategy = _followed(served, rows)
    X = served.encoder.transform_many(_situations(served, rows))
    found: Floats = np.full(len(rows), np.nan)
    known = strategy >= 0
    if known.any():
        found[known] = served.success.predict(X[known], strategy[known])[0]
    return found


def best_single(before: OutcomeTable | None, served: ServedRecommender) -> int:
    """The strategy with the least mean cost in what the model was fitted on, each outcome counted
    for as many as it stands for; the incumbent where nothing of that is left."""
    if before is None:
        return served.selector.incumbent
    strategy = _followed(served, before.rows)
    known = strategy >= 0
    weight = 1 / _propensities(before)[known]
    counts = np.bincount(strategy[known], minlength=len(served.strategies))
    total = np.bincount(strategy[known], weight, len(served.strategies))
    cost = np.bincount(strategy[known], weight * before.cost[known], len(served.strategies))
    enough = counts >= min(_SEEN_MIN, int(counts.max(initial=0)))
    means = np.where(enough & (total > 0), cost / np.maximum(total, 1e-300), np.inf)
    return int(means.argmin()) if np.isfinite(means).any() else served.selector.incumbent


def _followed(served: ServedRecommender, rows: Sequence[Ended]) -> Ints:
    """Which of the model's strategies; -1 for one that it does not know."""
    code = {name: at for at, name in enumerate(served.strategies)}
    return np.array([code.get(str(one.strategy), -1) for one in rows], dtype=np.int64)


def _propensities(table: OutcomeTable) -> Floats:
    """Of what was followed."""
    found: Floats = table.propensities()[np.arange(len(table.rows)), table.logged]
    return found


def _situations(served: ServedRecommender, rows: Sequence[Ended]) -> list[dict[str, object]]:
    facts = {kind: served.history.facts(kind) for kind in {one.task_type for one in rows}}
    return [
        situation(
            one.task_type,
            one.context,
            agents=one.agents,
            at_ms=decided_ms(one),
            history=facts[one.task_type],
        )
        for one in rows
    ]
