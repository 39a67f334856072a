"""Outcomes as columns, in the order of time: what insights, trends and drift are found in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from memtend.learn.comparing import Told

if TYPE_CHECKING:
    from memtend.model.ended import Ended


def columns(rows: Sequence[Ended]) -> tuple[Told, list[Ended]]:
    """Of those that name their strategy, and these in the order of time."""
    kept = sorted(
        (one for one in rows if one.strategy is not None),
        key=lambda one: (one.at_ms, one.outcome_id),
    )
    strategies = tuple(sorted({str(one.strategy) for one in kept}))
    tasks = tuple(sorted({one.task_type for one in kept}))
    strategy_of = {name: code for code, name in enumerate(strategies)}
    task_of = {name: code for code, name in enumerate(tasks)}
    drawn = bool(kept) and all(one.propensity for one in kept)
    told = Told(
        at_ms=np.array([one.at_ms for one in kept], dtype=np.int64),
        strategy=np.array([strategy_of[str(one.strategy)] for one in kept], dtype=np.int64),
        success=np.array([one.success for one in kept], dtype=np.float64),
        seconds=np.array([_known(one.duration_s) for one in kept], dtype=np.float64),
        cost=np.array([_known(one.cost) for one in kept], dtype=np.float64),
        weight=np.array(
            [1 / one.propensity if drawn and one.propensity else 1.0 for one in kept],
            dtype=np.float64,
        ),
        task=np.array([task_of[one.task_type] for one in kept], dtype=np.int64),
        strategies=strategies,
        tasks=tasks,
        drawn=drawn,
    )
    return told, kept


def _known(value: float | None) -> float:
    return np.nan if value is None else value
