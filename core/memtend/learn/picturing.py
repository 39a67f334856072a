"""Figures for pictures, counted once when a model is fitted: numpy in, plain values out.

Everything is told from outcomes that the judged model had not seen, in the order of time, with
90 % intervals. What is estimated off-policy stays an estimate, row by row: sums of such rows are
unbiased, a single one means nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from memtend.learn.comparing import Bools, Told
from memtend.learn.feedback import Floats, Ints
from memtend.learn.significance import Z90, bridge_tail, wilson
from memtend.limits_learning import (
    DRIFT_CHANCE,
    INSIGHT_ROWS_MIN,
    PICTURE_BARS_MAX,
    PICTURE_LINES_MAX,
    PICTURE_POINTS_MAX,
)
from memtend.model import pictures as p

BINS: Final = 10
PERIODS: Final = 12
_ROWS_MIN: Final = 5
"""Of a period or a bin: of fewer nothing is drawn."""


class Judged(NamedTuple):
    """What a policy would have cost, row by row, in the order of time; `oracle` where known."""

    at_ms: Ints
    learned: Floats
    single: Floats
    single_name: str
    oracle: Floats | None = None


def reliability(predicted: Floats, success: Floats) -> p.Reliability | None:
    """Groups of as many predictions each; None where there are too few for two of them."""
    count = min(BINS, len(predicted) // (2 * _ROWS_MIN))
    if count < 2:
        return None
    bins = []
    for rows in np.array_split(np.argsort(predicted, kind="stable"), count):
        mean, seen = _clipped(float(predicted[rows].mean())), float(success[rows].mean())
        low, high = wilson(seen, len(rows))
        observed = p.Estimate(value=seen, low=low, high=high)
        bins.append(p.Bin(predicted=mean, observed=observed, count=len(rows)))
    off = sum(abs(one.predicted - one.observed.value) * one.count for one in bins)
    return p.Reliability(bins=tuple(bins), error=off / len(predicted))


def regret_curve(judged: Judged) -> p.RegretCurve | None:
    """Sums over time. The band is that of the difference to the best single strategy."""
    n = len(judged.at_ms)
    if n < 2:
        return None
    gain = judged.learned - judged.single
    spread = Z90 * np.sqrt(np.cumsum((gain - gain.mean()) ** 2))
    learned, single = np.cumsum(judged.learned), np.cumsum(judged.single)
    oracle = None if judged.oracle is None else np.cumsum(judged.oracle)
    return p.RegretCurve(
        single=judged.single_name,
        points=tuple(
            p.Spent(
                at_ms=int(judged.at_ms[at]), tasks=int(at) + 1,
                learned=_estimate(learned[at], spread[at]), single=float(single[at]),
                oracle=None if oracle is None else float(oracle[at]),
            )
            for at in _thinned(n)
        ),
    )  # fmt: skip


def gap_bars(
    judged: Judged, place: Ints, names: Sequence[str], adopted: Sequence[bool]
) -> tuple[p.GapBar, ...]:
    """Of each place (a task type, a scenario), the most frequent first; of none without a bound."""
    if judged.oracle is None:
        return ()
    found = []
    for code in np.argsort(-np.bincount(place, minlength=len(names)), kind="stable"):
        rows = place == code
        if int(rows.sum()) < _ROWS_MIN:
            continue
        room = float((judged.single[rows] - judged.oracle[rows]).mean())
        if room <= 1e-9:
            continue
        gain = judged.single[rows] - judged.learned[rows]
        off = Z90 * float(gain.std(ddof=1)) / math.sqrt(int(rows.sum())) / room
        gap = _estimate(float(gain.mean()) / room, off)
        found.append(
            p.GapBar(name=names[code], gap=gap, tasks=int(rows.sum()), adopted=adopted[code])
        )
    return tuple(found[:PICTURE_BARS_MAX])


def drift_line(
    at_ms: Ints, left: Floats, *, name: str, said: str = "", looks: int = 1
) -> p.Drift | None:
    """The running sum of what came minus what was expected, as far as chance lets it wander in so
    many `looks`."""
    scatter = float(left.std()) if len(left) else 0.0
    if len(left) < 2 * _ROWS_MIN or not scatter > 0:
        return None
    path = np.abs(np.cumsum(left - left.mean())) / (scatter * math.sqrt(len(left)))
    points = tuple((int(at_ms[at]), float(path[at])) for at in _thinned(len(path), path))
    return p.Drift(name=name, limit=_limit(DRIFT_CHANCE / looks), points=points, said=said)


def drift_of(told: Told) -> p.Drift | None:
    """Where success has moved most for what is usual with task type and strategy: of all
    strategies together, or of one of them."""
    left = told.success - _usual(told.success, told.task, told.strategy)
    ones = [told.strategy == code for code in range(len(told.strategies))]
    kept = [code for code, rows in enumerate(ones) if rows.sum() >= INSIGHT_ROWS_MIN]
    looks = 1 + len(kept)
    found = [drift_line(told.at_ms, left, name="success of all strategies", looks=looks)]
    for code in kept:
        name = f"success of {told.strategies[code]}"
        rows = ones[code]
        found.append(drift_line(told.at_ms[rows], left[rows], name=name, looks=looks))
    lines = [one for one in found if one is not None]
    return max(lines, key=lambda one: max(value for _, value in one.points), default=None)


def successes(told: Told) -> tuple[p.Successes, ...]:
    """Of the strategies followed most, in periods of equal length."""
    if not len(told):
        return ()
    first, last = int(told.at_ms[0]), int(told.at_ms[-1])
    length = max(1, -(-(last - first + 1) // PERIODS))
    period = (told.at_ms - first) // length
    counts = np.bincount(told.strategy, minlength=len(told.strategies))
    most = np.argsort(-counts, kind="stable")[:PICTURE_LINES_MAX]
    lines = [
        p.Successes(
            strategy=told.strategies[code],
            points=tuple(_periods(told, told.strategy == code, period, first, length)),
        )
        for code in most
    ]
    return tuple(one for one in lines if one.points)


def _periods(
    told: Told, mine: Bools, period: Ints, first: int, length: int
) -> Iterator[tuple[int, p.Estimate, int]]:
    for number in range(PERIODS):
        rows = mine & (period == number)
        count = int(rows.sum())
        if count >= _ROWS_MIN:
            value = float(told.success[rows].mean())
            low, high = wilson(value, count)
            middle = first + number * length + length // 2
            yield middle, p.Estimate(value=value, low=low, high=high), count


def _thinned(n: int, kept: Floats | None = None) -> list[int]:
    """Indices of at most so many points, evenly, with both ends and the largest."""
    if n <= PICTURE_POINTS_MAX:
        return list(range(n))
    chosen = np.linspace(0, n - 1, PICTURE_POINTS_MAX - 1).round().astype(int)
    peak = [] if kept is None else [int(kept.argmax())]
    return sorted({*chosen.tolist(), *peak})


def _limit(chance: float) -> float:
    """What a Brownian bridge leaves with this chance."""
    low, high = 0.2, 4.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if bridge_tail(middle) > chance else (low, middle)
    return round(high, 3)


def _estimate(value: float, off: float) -> p.Estimate:
    return p.Estimate(value=float(value), low=float(value - off), high=float(value + off))


def _clipped(share: float) -> float:
    return min(1.0, max(0.0, share))


def _usual(values: Floats, *by: Ints) -> Floats:
    """The mean of each row's group."""
    cell = by[0] * (int(by[1].max(initial=0)) + 1) + by[1]
    counts = np.maximum(np.bincount(cell), 1)
    return np.asarray((np.bincount(cell, values) / counts)[cell])
