"""What a model is worth on outcomes that it has not seen, against the incumbent and the best single
strategy.

Values are costs of a task in the unit of the objective, estimated off-policy: what following the
model would have cost, told from what came of what was followed instead. Every figure has a 90 %
interval, and none is told where too few outcomes speak.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel

from memtend.learn.judged import Met, best_single
from memtend.learn.offpolicy import Estimate, Logged, deterministic, difference, sndr
from memtend.learn.outcomes import OutcomeTable
from memtend.learn.picturing import reliability
from memtend.learn.served import ServedRecommender
from memtend.limits_learning import JUDGED_ROWS_MIN
from memtend.model.pictures import Reliability


class Figure(BaseModel, frozen=True, extra="forbid"):
    """With its 90 % interval, which may have no end: None."""

    value: float
    low: float | None
    high: float | None


class Against(BaseModel, frozen=True, extra="forbid"):
    """`saving`: what a task costs less with the model than with this strategy."""

    strategy: str
    cost: Figure
    saving: Figure


class TaskValue(BaseModel, frozen=True, extra="forbid"):
    """What a task of a type costs with the incumbent, and less with the model."""

    task_type: str
    outcomes: int
    saving: Figure
    cost: Figure | None = None


class Evaluation(BaseModel, frozen=True, extra="forbid"):
    """`better`: the whole interval of the saving against the incumbent is above 0. `off`: by how
    much predicted probabilities of success miss what happened, on average."""

    outcomes: int
    judged_on: str
    cost: Figure
    incumbent: Against
    single: Against
    better: bool
    off: float | None = None
    reliability: Reliability | None = None
    by_task: tuple[TaskValue, ...] = ()
    fact: str


def evaluate(
    served: ServedRecommender,
    met: Met | None,
    judged_on: str,
    before: OutcomeTable | None = None,
) -> Evaluation | None:
    """`met` is what the model has not seen (`judged.met_by`), `before` what it was fitted on. None
    where too few outcomes name a strategy that the model knows."""
    if met is None:
        return None
    m, names = len(served.strategies), served.strategies
    chosen, usual = deterministic(met.chosen, m), deterministic(met.usual, m)
    best = best_single(before, served)
    alone = deterministic(np.full(len(met.rows), best), m)
    saving = _saving(difference(met.log, chosen, usual, met.expected))
    usual_cost = _figure(sndr(met.log, usual, met.expected))
    usually = ", ".join(sorted({names[at] for at in met.usual.tolist()}))
    reliable = _reliable(served, met)
    return Evaluation(
        outcomes=len(met.rows),
        judged_on=judged_on,
        cost=_figure(sndr(met.log, chosen, met.expected)),
        incumbent=Against(strategy=usually, cost=usual_cost, saving=saving),
        single=Against(
            strategy=names[best],
            cost=_figure(sndr(met.log, alone, met.expected)),
            saving=_saving(difference(met.log, chosen, alone, met.expected)),
        ),
        better=saving.low is not None and saving.low > 0,
        off=reliable.error if reliable else None,
        reliability=reliable,
        by_task=tuple(_by_task(met, m)),
        fact=f"the model saves {shares(saving, usual_cost)} of what a task costs with the "
        f"incumbent {usually}, on {len(met.rows):,} outcomes ({judged_on})",
    )


def told(figure: Figure) -> str:
    """As people read it: 0.12 [0.05, 0.19]."""
    low, high = ("…" if end is None else f"{end:.3f}" for end in (figure.low, figure.high))
    return f"{figure.value:.3f} [{low}, {high}]"


def shares(saving: Figure, cost: Figure | None) -> str:
    """A saving in percent of a cost, 60 % [40, 80]; in its unit where there is no such cost."""
    if cost is None or cost.value <= 0:
        return told(saving)
    low, high = (
        "…" if end is None else f"{100 * end / cost.value:.0f}" for end in (saving.low, saving.high)
    )
    return f"{100 * saving.value / cost.value:.0f} % [{low}, {high}]"


def _by_task(met: Met, strategies: int) -> Iterator[TaskValue]:
    kinds = np.array(met.task_types, dtype=str)
    for kind in sorted(set(met.task_types)):
        rows = np.flatnonzero(kinds == kind)
        if len(rows) >= JUDGED_ROWS_MIN:
            log = Logged(met.strategy[rows], met.log.cost[rows], met.log.propensity[rows])
            chosen, usual = (
                deterministic(one[rows], strategies) for one in (met.chosen, met.usual)
            )
            saving = _saving(difference(log, chosen, usual, met.expected[rows]))
            cost = _figure(sndr(log, usual, met.expected[rows]))
            yield TaskValue(task_type=kind, outcomes=len(rows), saving=saving, cost=cost)


def _reliable(served: ServedRecommender, met: Met) -> Reliability | None:
    if served.success is None:
        return None
    predicted, _, _ = served.success.predict(met.X, met.strategy)
    return reliability(predicted, met.success)


def _figure(found: Estimate) -> Figure:
    return Figure(value=found.value, low=_end(found.low), high=_end(found.high))


def _saving(found: Estimate) -> Figure:
    """The difference of costs the other way round."""
    return Figure(value=0.0 - found.value, low=_end(0.0 - found.high), high=_end(0.0 - found.low))


def _end(value: float) -> float | None:
    return value if math.isfinite(value) else None
