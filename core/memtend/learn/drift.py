"""Whether the world has moved since a model was fitted: its contexts, or what comes of strategies.

Contexts: each feature since the fit against the same before it. Outcomes: the running sum of what
came minus what was expected, from the fit's own data on. While nothing changes it wanders as a
Brownian bridge does, so the chance of a false alarm is known: `DRIFT_CHANCE` for one look at
everything. Where something has changed, the sum turns there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from pydantic import AwareDatetime, BaseModel

from memtend.clock import to_datetime
from memtend.learn.comparing import Bools, Told
from memtend.learn.conditions import flattened
from memtend.learn.feedback import Floats, Ints
from memtend.learn.shifts import moved
from memtend.learn.significance import adjusted, bridge_tail
from memtend.learn.told import columns
from memtend.limits_learning import DRIFT_CHANCE, DRIFT_ROWS_MIN, INSIGHT_ROWS_MIN

if TYPE_CHECKING:
    from memtend.model.ended import Ended

_SHARE_MIN: Final = 0.1
"""Of the contexts that have to differ: less is no news, however sure it is."""


class Shift(BaseModel, frozen=True, extra="forbid"):
    """One thing that moved: a feature, by this share of the contexts, or the success of all
    strategies or of one, by so much against what was expected, `since` about then."""

    what: str
    amount: float
    chance: float
    since: AwareDatetime | None = None
    fact: str


class Drift(BaseModel, frozen=True, extra="forbid"):
    """`chance` is that of a false alarm in one look at everything."""

    found: bool
    before: int
    after: int
    contexts: tuple[Shift, ...] = ()
    results: tuple[Shift, ...] = ()
    chance: float = DRIFT_CHANCE
    fact: str


def drift(before: Sequence[Ended], after: Sequence[Ended], expected: Floats | None = None) -> Drift:
    """`before` is what the model was fitted on; only rows that name a strategy count.

    `expected` is the success that the model expects of the strategy followed, for these rows in
    this order; without it, that of the same task type and strategy before.
    """
    old, new = len(before), len(after)
    rows = [*before, *after]
    named = np.array([one.strategy is not None for one in rows], dtype=bool)
    if min(int(named[:old].sum()), int(named[old:].sum())) < DRIFT_ROWS_MIN:
        fact = f"{new:,} outcomes since the fit are too few to say whether anything has moved"
        return Drift(found=False, before=old, after=new, fact=fact)
    # Half of the alarms that are allowed for nothing go to either.
    contexts = _told([*_contexts(rows, old)], _SHARE_MIN)
    results = _told([*_results(rows, old, expected)], 0.0)
    found = [*results, *contexts]
    fact = "; ".join(one.fact for one in found) or "nothing has moved beyond chance"
    return Drift(
        found=bool(found), before=old, after=new, contexts=contexts, results=results, fact=fact
    )


def _told(found: Sequence[Shift], least: float) -> tuple[Shift, ...]:
    rates = adjusted([one.chance for one in found])
    kept = [
        one
        for one, rate in zip(found, rates, strict=True)
        if rate <= DRIFT_CHANCE / 2 and abs(one.amount) >= least
    ]
    return tuple(sorted(kept, key=lambda one: (one.chance, one.what)))


def _contexts(rows: Sequence[Ended], cut: int) -> Iterator[Shift]:
    flat = [flattened({"task_type": one.task_type, **one.context}, len(one.agents)) for one in rows]
    for feature, share, chance in moved(flat, cut):
        fact = f"{feature} differs in {100 * share:.0f} % of the contexts"
        yield Shift(what=feature, amount=share, chance=chance, fact=fact)


def _results(rows: Sequence[Ended], cut: int, expected: Floats | None) -> Iterator[Shift]:
    told, kept = columns(rows)
    place = {id(one): number for number, one in enumerate(rows)}
    order = np.array([place[id(one)] for one in kept], dtype=np.int64)
    fitted = order < cut
    left = told.success - (_means(told, fitted) if expected is None else expected[order])
    yield from _turned("success", left, fitted, told.at_ms)
    for code, name in enumerate(told.strategies):
        mine = told.strategy == code
        yield from _turned(f"success of `{name}`", left[mine], fitted[mine], told.at_ms[mine])


def _means(told: Told, fitted: Bools) -> Floats:
    """Success by task type and strategy before, drawn towards that of the strategy."""
    size = len(told.tasks) * len(told.strategies)
    cell = told.task * len(told.strategies) + told.strategy
    counts = np.bincount(cell[fitted], minlength=size)
    sums = np.bincount(cell[fitted], told.success[fitted], size)
    whole = np.bincount(told.strategy[fitted], minlength=len(told.strategies))
    good = np.bincount(told.strategy[fitted], told.success[fitted], len(told.strategies))
    means = np.tile((good + 1) / (whole + 2), len(told.tasks))
    result: Floats = ((sums + 2 * means) / (counts + 2))[cell]
    return result


def _turned(what: str, left: Floats, fitted: Bools, at_ms: Ints) -> Iterator[Shift]:
    """Not of a strategy that was followed too seldom before or since."""
    since = int((~fitted).sum())
    if min(since, len(left) - since) < INSIGHT_ROWS_MIN:
        return
    # What a model was fitted on, it fits better than what comes: the later scatter is the true one.
    scatter = max(float(left[~fitted].std()), float(left.std()))
    if not scatter > 0:
        return
    path = np.cumsum(left - left.mean())
    turn = int(np.abs(path[:-1]).argmax())
    chance = bridge_tail(abs(float(path[turn])) / (scatter * math.sqrt(len(left))))
    amount = float(left[turn + 1 :].mean() - left[: turn + 1].mean())
    at = to_datetime(int(at_ms[turn + 1]))
    fact = f"{what} is {100 * amount:+.0f} points against what was expected since {at:%Y-%m-%d}"
    yield Shift(what=what, amount=amount, chance=chance, since=at, fact=fact)
