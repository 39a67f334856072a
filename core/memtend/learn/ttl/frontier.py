"""Misses against bytes: what each way to keep would have cost on held-out time, at many prices."""

from __future__ import annotations

from typing import Final

import numpy as np

from memtend.learn.evenly import evenly
from memtend.learn.feedback import Floats
from memtend.learn.ttl.accesses import Gaps
from memtend.learn.ttl.classes import ClassCurves
from memtend.learn.ttl.fitted import FrontierPoint
from memtend.learn.ttl.forest import SurvivalForest
from memtend.learn.ttl.objective import Price, mean_cost
from memtend.learn.ttl.rows import Bounds

TIMES: Final = (1 / 8, 1 / 4, 1 / 2, 1.0, 2.0, 4.0, 8.0)
ROWS_MAX: Final = 4_000


def frontier(
    later: Gaps, old_s: Floats, price: Price, bounds: Bounds, classes: ClassCurves,
    forest: SurvivalForest | None,
) -> tuple[FrontierPoint, ...]:  # fmt: skip
    """`old_s`: the TTL in force of each access; it is one point, as no price has made it."""
    if not len(later):
        return ()
    rows = evenly(len(later), ROWS_MAX)
    some = later.where(rows)
    points = [_point("incumbent", some, old_s[rows], price)]
    for times in TIMES:
        asked = Price(price.rate / times, price.break_even_s * times)
        table = classes.table(asked.rate, *bounds)
        points.append(_point("class", some, table.ttl(some.cls, some.size), asked))
        if forest is not None:
            found = forest.ttl(some.X, asked.rate * some.size, *bounds)
            points.append(_point("access", some, found, asked))
        worth = some.event & (asked.rate * some.size * some.gap < 1.0)
        points.append(_point("clairvoyant", some, np.where(worth, some.gap, 0.0), asked))
    return tuple(points)


def _point(policy: str, some: Gaps, ttl_s: Floats, price: Price) -> FrontierPoint:
    found = mean_cost(some, ttl_s, price)
    return FrontierPoint(policy, price.break_even_s, found.misses, found.byte_s)
