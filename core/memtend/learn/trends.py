"""How success, time and cost of each strategy have moved from week to week.

A trend is called improving or worsening only where a line through the weeks says so more surely
than the scatter of the weeks, and their number of outcomes, allow by chance; and so that no more
than one in twenty of those told is mistaken. It says what was recorded: the tasks may have changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
from pydantic import AwareDatetime, BaseModel

from memtend.clock import to_datetime
from memtend.learn.comparing import Bools, Told
from memtend.learn.feedback import Floats, Ints
from memtend.learn.significance import Z90, adjusted, normal_of, two_sided, wilson
from memtend.learn.told import columns
from memtend.limits_learning import FALSE_RATE, TREND_ROWS_MIN, TREND_WEEKS_MIN

if TYPE_CHECKING:
    from memtend.model.ended import Ended

Quantity = Literal["success", "seconds", "cost"]
_WEEK_MS: Final = 7 * 24 * 3_600_000
_MONDAY_MS: Final = 4 * 24 * 3_600_000  # the epoch was a Thursday
_QUANTITIES: Final[tuple[Quantity, ...]] = ("success", "seconds", "cost")


class Week(BaseModel, frozen=True, extra="forbid"):
    """One week from Monday on (UTC), with a 90 % interval."""

    begins: AwareDatetime
    value: float
    low: float
    high: float
    outcomes: int


class Trend(BaseModel, frozen=True, extra="forbid"):
    """`change` is what a week adds: points of success, or a share of time or cost.

    Without a task type, it is that of all tasks together.
    """

    task_type: str | None
    strategy: str
    quantity: Quantity
    direction: Literal["improving", "worsening", "steady"]
    change: float
    low: float
    high: float
    false_rate: float
    weeks: tuple[Week, ...]
    fact: str


class _Series(NamedTuple):
    task: int | None
    strategy: int
    quantity: Quantity
    weeks: tuple[Week, ...]
    change: float
    error: float
    chance: float


def trends(rows: Sequence[Ended]) -> tuple[Trend, ...]:
    """Of every task type and strategy that was followed in enough weeks; those that move first."""
    told, _ = columns(rows)
    found = list(_all_series(told))
    rates = adjusted([one.chance for one in found])
    made = [_trend(told, one, rate) for one, rate in zip(found, rates, strict=True)]
    steady = "steady"
    return tuple(sorted(made, key=lambda one: (one.direction == steady, one.false_rate, one.fact)))


def _all_series(told: Told) -> Iterator[_Series]:
    week = (told.at_ms - _MONDAY_MS) // _WEEK_MS
    for task in (None, *range(len(told.tasks))):
        if task is not None and len(told.tasks) == 1:
            continue
        for strategy in range(len(told.strategies)):
            here = told.strategy == strategy
            if task is not None:
                here = here & (told.task == task)
            for quantity in _QUANTITIES:
                found = _series(told, here, week, quantity)
                if found:
                    yield found._replace(task=task, strategy=strategy)


def _series(told: Told, here: Bools, week: Ints, quantity: Quantity) -> _Series | None:
    values = _values(told, quantity)
    known = here & ~np.isnan(values)
    numbers, counts = np.unique(week[known], return_counts=True)
    numbers = numbers[counts >= TREND_ROWS_MIN]
    if len(numbers) < TREND_WEEKS_MIN:
        return None
    samples = [values[known & (week == number)] for number in numbers]
    means = np.array([sample.mean() for sample in samples])
    errors = np.array([_error(sample, quantity) for sample in samples])
    change, error = _slope(numbers.astype(np.float64), means, errors)
    t = change / error if error > 0 else 0.0
    weeks = tuple(
        _week(int(number), sample, quantity)
        for number, sample in zip(numbers, samples, strict=True)
    )
    chance = two_sided(normal_of(t, len(numbers) - 2))
    return _Series(0, 0, quantity, weeks, change, error, chance)


def _values(told: Told, quantity: Quantity) -> Floats:
    """Times and costs as logarithms: what grows by a tenth a week is a line."""
    if quantity == "success":
        return told.success
    raw = told.seconds if quantity == "seconds" else told.cost
    return np.log(np.where(raw > 0, raw, np.nan))


def _error(sample: Floats, quantity: Quantity) -> float:
    """Of the week's mean. A week in which all succeeded is not sure of the next."""
    if quantity == "success":
        share = (float(sample.sum()) + 1) / (len(sample) + 2)
        return math.sqrt(share * (1 - share) / len(sample))
    return max(float(sample.std(ddof=1)) / math.sqrt(len(sample)), 1e-9)


def _slope(at: Floats, means: Floats, errors: Floats) -> tuple[float, float]:
    """A line by weighted least squares. Its error is the larger of what the outcomes within the
    weeks and what the scatter of the weeks imply: weeks differ for reasons nobody recorded."""
    weight = 1 / errors**2
    centre = float(weight @ at / weight.sum())
    spread = float(weight @ (at - centre) ** 2)
    if not spread > 0:
        return 0.0, 0.0
    level = float(weight @ means / weight.sum())
    change = float(weight @ ((at - centre) * (means - level))) / spread
    left = means - level - change * (at - centre)
    scatter = float(weight @ left**2) / max(len(at) - 2, 1)
    return change, math.sqrt(max(scatter, 1.0) / spread)


def _week(number: int, sample: Floats, quantity: Quantity) -> Week:
    mean = float(sample.mean())
    if quantity == "success":
        value, (low, high) = mean, wilson(mean, len(sample))
    else:
        half = Z90 * _error(sample, quantity)
        value, low, high = math.exp(mean), math.exp(mean - half), math.exp(mean + half)
    begins = to_datetime(number * _WEEK_MS + _MONDAY_MS)
    return Week(begins=begins, value=value, low=low, high=high, outcomes=len(sample))


def _trend(told: Told, one: _Series, rate: float) -> Trend:
    half = Z90 * one.error
    change, low, high = one.change, one.change - half, one.change + half
    if one.quantity != "success":
        change, low, high = math.expm1(change), math.expm1(low), math.expm1(high)
    better = (one.change > 0) == (one.quantity == "success")
    task = None if one.task is None else told.tasks[one.task]
    strategy = told.strategies[one.strategy]
    where = "over all tasks" if task is None else f"for task type {task}"
    direction: Literal["improving", "worsening", "steady"] = "steady"
    if rate <= FALSE_RATE:
        direction = "improving" if better else "worsening"
    unit = "points" if one.quantity == "success" else "%"
    name = {"success": "success", "seconds": "the time", "cost": "the cost"}[one.quantity]
    fact = (
        f"{where}, {name} of `{strategy}` changes by {100 * change:+.1f} {unit} a week "
        f"[{100 * low:+.1f}, {100 * high:+.1f}] over {len(one.weeks)} weeks"
    )
    if direction == "steady":
        fact = f"{where}, {name} of `{strategy}` shows no change beyond chance"
    return Trend(
        task_type=task, strategy=strategy, quantity=one.quantity, direction=direction,
        change=change, low=low, high=high, false_rate=rate, weeks=one.weeks, fact=fact,
    )  # fmt: skip
