"""The figures for pictures of a model of strategies, counted where it is fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from memtend.learn.judged import best_single
from memtend.learn.least import left_to_save
from memtend.learn.picturing import (
    Judged,
    drift_of,
    gap_bars,
    regret_curve,
    reliability,
    successes,
)
from memtend.learn.told import columns
from memtend.limits_learning import PICTURE_BARS_MAX
from memtend.model.pictures import Estimate, Influence, StrategyPictures

if TYPE_CHECKING:
    from memtend.learn.feedback import Floats, Ints
    from memtend.learn.judged import Met
    from memtend.learn.outcomes import OutcomeTable
    from memtend.learn.recommender import FittedRecommender
    from memtend.learn.served import ServedRecommender


def strategy_pictures(
    fitted: FittedRecommender,
    earlier: ServedRecommender | None,
    before: OutcomeTable | None,
    met: Met | None,
) -> StrategyPictures:
    """`earlier` was fitted on `before` and is drawn on what it has `met` since."""
    strongest = sorted(fitted.facts.influences, key=lambda one: -one.share)
    influences = tuple(
        Influence(feature=one.field, share=Estimate(value=one.share, low=one.low, high=one.high))
        for one in strongest[:PICTURE_BARS_MAX]
        if one.high > 0
    )
    told, _ = columns(fitted.table.rows)
    if earlier is None or met is None:
        return StrategyPictures(
            influences=influences, successes=successes(told), drift=drift_of(told)
        )
    reliable = None
    if earlier.success is not None:
        reliable = reliability(earlier.success.predict(met.X, met.strategy)[0], met.success)
    single = best_single(before, earlier)
    learned = _costs(met, met.chosen)
    # The same luck in both: a bound that did not share it would be passed by chance.
    left = None if before is None else left_to_save(earlier, before, met.X, met.chosen)
    judged = Judged(
        at_ms=np.array([one.at_ms for one in met.rows], dtype=np.int64),
        learned=learned,
        single=_costs(met, np.full(len(met.rows), single)),
        single_name=earlier.strategies[single],
        oracle=None if left is None else learned - left,
    )
    tasks = sorted(set(met.task_types))
    place = np.array([tasks.index(task) for task in met.task_types], dtype=np.int64)
    return StrategyPictures(
        reliability=reliable,
        regret=regret_curve(judged),
        gaps=gap_bars(judged, place, tasks, [earlier.is_learned(task) for task in tasks]),
        influences=influences,
        successes=successes(told),
        drift=drift_of(told),
    )


def _costs(met: Met, chosen: Ints) -> Floats:
    """Doubly robust, row by row: their sum is unbiased, a single one means nothing."""
    rows = np.arange(len(met.rows))
    weight = (met.strategy == chosen) / met.log.propensity
    missed = met.log.cost - met.expected[rows, met.strategy]
    found: Floats = met.expected[rows, chosen] + weight * missed
    return found
