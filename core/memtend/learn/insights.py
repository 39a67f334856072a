"""What the outcomes say about strategies, in sentences with evidence, and nothing they do not say.

The earlier half of the outcomes suggests a few questions: in which circumstances did something else
succeed more often, or take another time, than what is mostly followed? The later half alone answers
them, and what is told counts how many were asked: where nothing is to be found, no more than one
run in twenty tells anything.

What was followed is not what would have happened. Only where every choice was drawn with a known
probability does the evidence say so; else it warns that the tasks may have differed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import BaseModel

from memtend.learn.comparing import (
    Bools,
    Difference,
    Told,
    of_success,
    of_time,
    share,
    typical_seconds,
)
from memtend.learn.conditions import Condition, conditions, flattened
from memtend.learn.significance import Share, adjusted
from memtend.learn.told import columns
from memtend.limits_learning import (
    FALSE_RATE,
    INSIGHT_ROWS_MIN,
    INSIGHTS_ASKED_MAX,
    INSIGHTS_MAX,
)

if TYPE_CHECKING:
    from memtend.model.ended import Ended

_DRAWN = "every strategy was drawn with a known probability, so this is what following it does"
_CHOSEN = "who chose the strategies, and why, is not known: the tasks may have differed"


class Arm(BaseModel, frozen=True, extra="forbid"):
    """One strategy in the circumstances told of, with its 90 % interval."""

    strategy: str
    value: float
    low: float
    high: float
    outcomes: int


class Insight(BaseModel, frozen=True, extra="forbid"):
    """`quantity` is `success` (a share) or `seconds`. `difference` is that of the two, or for times
    the ratio; `false_rate` is the share of such insights that are expected to be mistaken."""

    fact: str
    sure: str
    task_type: str | None
    condition: str | None
    quantity: str
    arm: Arm
    against: Arm
    difference: float
    low: float
    high: float
    false_rate: float
    drawn: bool


class _Question(NamedTuple):
    quantity: str
    task: int | None
    condition: Condition | None
    rows: Bools
    one: int
    other: int
    promise: float


def insights(rows: Sequence[Ended]) -> tuple[Insight, ...]:
    """The surest first. Too few outcomes tell nothing."""
    told, kept = columns(rows)
    if len(told) < 4 * INSIGHT_ROWS_MIN:
        return ()
    flat = [flattened(one.context, len(one.agents)) for one in kept]
    early = np.arange(len(told)) < len(told) // 2
    asked = list(_questions(told, list(conditions(flat, early, INSIGHT_ROWS_MIN)), early))
    answers = [_difference(one, told, ~early) for one in asked]
    rates = adjusted([one.chance if one else 1.0 for one in answers])
    found = [
        _insight(question, told, ~early, answer, rate)
        for question, answer, rate in zip(asked, answers, rates, strict=True)
        if answer and rate <= FALSE_RATE and (answer.value > 0) == (question.promise > 0)
    ]
    found.sort(key=lambda one: (one.false_rate, one.fact))
    return tuple(found[:INSIGHTS_MAX])


def _questions(told: Told, known: Sequence[Condition], early: Bools) -> list[_Question]:
    """What seemed better or faster somewhere; few, for every question asked makes each answer
    less sure."""
    whole: list[_Question] = []
    inside: list[_Question] = []
    faster: list[_Question] = []
    for task in (None, *range(len(told.tasks))):
        if task is not None and len(told.tasks) == 1:
            continue
        here = np.ones(len(told), dtype=bool) if task is None else told.task == task
        counts = np.bincount(told.strategy[here & early], minlength=len(told.strategies))
        if not counts.any():
            continue
        usual = int(counts.argmax())
        whole += _better(told, here, usual, task, None, early)
        faster += _faster(told, here, usual, task, early)
        for condition in known:
            within = here & condition.holds
            inside += _better(told, within, usual, task, condition, early)
    return [
        question
        for found in (whole, inside, faster)
        for question in _most_promising(found, INSIGHTS_ASKED_MAX)
    ]


def _better(
    told: Told, here: Bools, usual: int, task: int | None, condition: Condition | None, early: Bools
) -> Iterator[_Question]:
    other = here & (told.strategy == usual)
    for one in range(len(told.strategies)):
        question = _Question("success", task, condition, here, one, usual, 1.0)
        found = None if one == usual else _difference(question, told, early, other)
        if found and found.z > 0:
            yield question._replace(promise=found.z)


def _faster(
    told: Told, here: Bools, usual: int, task: int | None, early: Bools
) -> Iterator[_Question]:
    for one in range(len(told.strategies)):
        question = _Question("seconds", task, None, here, one, usual, 1.0)
        found = None if one == usual else _difference(question, told, early)
        if found:
            yield question._replace(promise=found.z)


def _most_promising(found: Iterable[_Question], count: int) -> list[_Question]:
    """At most one a task type and feature: overlapping questions answer the same."""
    kept: dict[tuple[int | None, str], _Question] = {}
    for one in sorted(found, key=lambda one: -abs(one.promise)):
        kept.setdefault((one.task, one.condition.feature if one.condition else ""), one)
    return list(kept.values())[:count]


def _difference(
    question: _Question, told: Told, part: Bools, other: Bools | None = None
) -> Difference | None:
    """None where one of the two was followed too seldom."""
    rows = question.rows & part
    if question.quantity == "seconds":
        rows = rows & (told.seconds > 0)
    one = rows & (told.strategy == question.one)
    against = rows & (told.strategy == question.other) if other is None else other & part
    if min(int(one.sum()), int(against.sum())) < INSIGHT_ROWS_MIN:
        return None
    compare = of_time if question.quantity == "seconds" else of_success
    return compare(told, one, against)


def _insight(
    question: _Question, told: Told, part: Bools, found: Difference, rate: float
) -> Insight:
    rows = question.rows & part
    one = rows & (told.strategy == question.one)
    other = rows & (told.strategy == question.other)
    measure = typical_seconds if question.quantity == "seconds" else share
    names = told.strategies[question.one], told.strategies[question.other]
    arms = [
        _arm(name, measure(told, which)) for name, which in zip(names, (one, other), strict=True)
    ]
    task = None if question.task is None else told.tasks[question.task]
    condition = question.condition.text if question.condition else None
    where = "for all tasks" if task is None else f"for task type {task}"
    if condition:
        where = f"{where} with {condition}"
    if question.quantity == "seconds":
        value, low, high = (math.exp(one) for one in (found.value, found.low, found.high))
        fact = f"{where}, `{names[0]}` takes {_seconds(arms[0])}, `{names[1]}` {_seconds(arms[1])}"
        gap = f"{value:.2f} times as long [{low:.2f}, {high:.2f}]"
    else:
        value, low, high = found.value, found.low, found.high
        fact = (
            f"{where}, `{names[0]}` succeeds in {_percent(arms[0])}, "
            f"`{names[1]}` in {_percent(arms[1])}"
        )
        gap = f"{100 * value:+.0f} points [{100 * low:+.0f}, {100 * high:+.0f}]"
    sure = (
        f"{gap} in the later half of the outcomes, found in the earlier one; "
        f"false discovery rate {100 * max(rate, 0.0001):.2g} %; "
        f"{_DRAWN if told.drawn else _CHOSEN}"
    )
    return Insight(
        fact=fact, sure=sure, task_type=task, condition=condition, quantity=question.quantity,
        arm=arms[0], against=arms[1], difference=value, low=low, high=high, false_rate=rate,
        drawn=told.drawn,
    )  # fmt: skip


def _arm(name: str, found: Share) -> Arm:
    return Arm(
        strategy=name, value=found.value, low=found.low, high=found.high, outcomes=found.outcomes
    )


def _percent(arm: Arm) -> str:
    return (
        f"{100 * arm.value:.0f} % [{100 * arm.low:.0f}, {100 * arm.high:.0f}] of {arm.outcomes:,}"
    )


def _seconds(arm: Arm) -> str:
    return f"{arm.value:,.3g} s [{arm.low:,.3g}, {arm.high:,.3g}] in {arm.outcomes:,}"
