"""Which points of a history may go: the older it gets, the fewer are kept.

Everything of the last two days, then one point an hour for two weeks, then one a day for two years:

    >>> day = 24 * 3_600_000
    >>> hourly = [20 * day + hour * 3_600_000 for hour in range(48)]
    >>> thinned(hourly, now_ms=40 * day) == hourly[:23] + hourly[24:47]
    True

Of each hour and day its last point stays, so a point that was kept once is kept until its next,
coarser time, and thinning twice is thinning once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from memtend.limits_upkeep import METRIC_FULL_MS, METRIC_HOURLY_MS, METRIC_KEEP_MS

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS


def thinned(times_ms: Sequence[int], now_ms: int) -> list[int]:
    """Those of `times_ms`, oldest first, that may go."""
    last = {_slot(at_ms, now_ms): at_ms for at_ms in times_ms}
    last.pop(None, None)
    kept = set(last.values())
    return [at_ms for at_ms in times_ms if at_ms not in kept]


def _slot(at_ms: int, now_ms: int) -> tuple[int, int] | None:
    """Of the points in one slot only the last one stays; None: it may go anyway."""
    age_ms = now_ms - at_ms
    if age_ms >= METRIC_KEEP_MS:
        return None
    # By the calendar and not by the age, or a slot would begin anew with every run.
    width_ms = 1 if age_ms < METRIC_FULL_MS else HOUR_MS if age_ms < METRIC_HOURLY_MS else DAY_MS
    return width_ms, at_ms // width_ms
