"""Where a figure is going, and how far that can be trusted. Pure.

    >>> line = [Point(day * DAY_MS, 100.0 + 10 * day) for day in range(20)]
    >>> found = forecast(line)
    >>> round(found.at(29 * DAY_MS).middle), round(found.rate_a_day), found.reaches(400).middle_ms
    (390, 10, 2592000000)

The trend is the median of the slopes between all pairs of points (Theil-Sen): one bad day does not
bend it. The band is not a formula's: forecasts are made from the earlier parts of this very
history and held against what came then. How far off they were for each unit of time ahead, in all
but the worst fifth of cases, is how wide the band opens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from statistics import median
from typing import Final, NamedTuple

from memtend.limits_upkeep import (
    FORECAST_MS_MAX,
    FORECAST_POINTS_MIN,
    FORECAST_SHARE,
    FORECAST_SPAN_MS_MIN,
)
from memtend.report.facts import Point

DAY_MS: Final = 86_400_000
_POINTS: Final = 40
_ORIGINS: Final = 8


class Expected(NamedTuple):
    low: float
    middle: float
    high: float


class Reached(NamedTuple):
    """When a bound is reached, earliest, in the middle, latest; None: not within the forecast."""

    first_ms: int | None
    middle_ms: int | None
    last_ms: int | None


class Forecast(NamedTuple):
    """From the last point on, as far ahead as the history goes back and no farther."""

    last_ms: int
    level: float
    rate_a_day: float
    off: float
    """How far points lie off the line, whatever the time ahead."""
    off_a_day: float
    until_ms: int

    def at(self, ms: int) -> Expected:
        days = (ms - self.last_ms) / DAY_MS
        middle = self.level + self.rate_a_day * days
        width = self.off + self.off_a_day * max(days, 0.0)
        return Expected(max(0.0, middle - width), max(0.0, middle), max(0.0, middle + width))

    def reaches(self, bound: float) -> Reached:
        """When the figure comes to a bound that it is below now."""
        fast, slow = self.rate_a_day + self.off_a_day, self.rate_a_day - self.off_a_day
        return Reached(
            self._meets(bound, self.level + self.off, fast),
            self._meets(bound, self.level, self.rate_a_day),
            self._meets(bound, self.level - self.off, slow),
        )

    def _meets(self, bound: float, level: float, rate: float) -> int | None:
        if level >= bound:
            return self.last_ms
        if rate <= 0:
            return None
        ms = self.last_ms + (bound - level) / rate * DAY_MS
        return round(ms) if ms <= self.until_ms else None


def thinned(points: Sequence[Point], limit: int) -> list[Point]:
    """At most `limit` of the points, evenly, the first and the last among them."""
    if len(points) <= limit:
        return list(points)
    last = len(points) - 1
    return [points[round(n * last / (limit - 1))] for n in range(limit)]


def forecast(points: Sequence[Point]) -> Forecast | None:
    """None where the history is too short to say anything. Points come oldest first."""
    if len(points) < FORECAST_POINTS_MIN:
        return None
    reach = points[-1].at_ms - points[0].at_ms
    if reach < FORECAST_SPAN_MS_MIN:
        return None
    used = thinned(points, _POINTS)
    rate, level = _trend(used)
    errors = sorted(_errors(used))
    return Forecast(
        last_ms=used[-1].at_ms,
        level=level,
        rate_a_day=rate,
        off=_worst_but(sorted(abs(off) for off in _residuals(used, rate, level))),
        off_a_day=_worst_but(errors),
        until_ms=used[-1].at_ms + min(reach, FORECAST_MS_MAX),
    )


def _trend(points: Sequence[Point]) -> tuple[float, float]:
    """The slope a day, and where the line is at the last point."""
    rate = median(
        (b.value - a.value) / (b.at_ms - a.at_ms) * DAY_MS
        for a, b in combinations(points, 2)
        if b.at_ms > a.at_ms
    )
    last = points[-1].at_ms
    return rate, median(one.value + rate * (last - one.at_ms) / DAY_MS for one in points)


def _residuals(points: Sequence[Point], rate: float, level: float) -> Iterator[float]:
    last = points[-1].at_ms
    for one in points:
        yield one.value - (level + rate * (one.at_ms - last) / DAY_MS)


def _errors(points: Sequence[Point]) -> Iterator[float]:
    """How far off earlier forecasts were, for each day ahead."""
    first = max(3, len(points) // 3)
    step = max(1, (len(points) - first) // _ORIGINS)
    for origin in range(first, len(points), step):
        seen = points[:origin]
        if seen[-1].at_ms == seen[0].at_ms:
            continue
        rate, level = _trend(seen)
        for later in points[origin:]:
            days = (later.at_ms - seen[-1].at_ms) / DAY_MS
            if days > 0:
                yield abs(later.value - level - rate * days) / max(days, 1.0)


def _worst_but(ordered: Sequence[float]) -> float:
    """What all but the worst of them stay within."""
    return ordered[min(len(ordered) - 1, int(FORECAST_SHARE * len(ordered)))] if ordered else 0.0
