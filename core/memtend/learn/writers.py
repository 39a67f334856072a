"""Who tells otherwise than everybody else of the same strategies and task types.

A writer whose outcomes are poisoned, or who calls success what others call failure, spoils what is
learned from all. Each writer's successes are held against those of the others, within the same task
type and strategy; the farthest is told of and set aside, until nobody stands out. Standing out is
no guilt: a person looks, and excludes whom the policy's `writers_excluded` then names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import BaseModel

from memtend.learn.comparing import Bools, Told
from memtend.learn.feedback import Ints
from memtend.learn.significance import Z90, two_sided
from memtend.learn.told import columns
from memtend.limits_learning import INSIGHT_ROWS_MIN, WRITER_CHANCE, WRITER_GAP_MIN

if TYPE_CHECKING:
    from memtend.model.ended import Ended


class Suspect(BaseModel, frozen=True, extra="forbid"):
    """`gap` is the share of successes above that of the others, with its 90 % interval."""

    writer: str
    outcomes: int
    gap: float
    low: float
    high: float
    fact: str


class _Gap(NamedTuple):
    value: float
    error: float

    @property
    def z(self) -> float:
        return self.value / self.error if self.error else 0.0


def suspects(rows: Sequence[Ended]) -> tuple[Suspect, ...]:
    """The one who stands out most first."""
    told, kept = columns(rows)
    names = sorted({one.writer for one in kept if one.writer is not None})
    number = {name: code for code, name in enumerate(names)}
    code = np.array([number.get(one.writer or "", -1) for one in kept], dtype=np.int64)
    left, found = np.ones(len(kept), dtype=bool), list[Suspect]()
    while len(found) < len(names) - 1:
        gaps = {
            writer: gap
            for writer in range(len(names))
            if (gap := _gap(told, code, writer, left)) and abs(gap.value) >= WRITER_GAP_MIN
        }
        if not gaps:
            break
        farthest = max(gaps, key=lambda one: abs(gaps[one].z))
        if two_sided(gaps[farthest].z) * len(names) > WRITER_CHANCE:
            break
        theirs = left & (code == farthest)
        found.append(_suspect(names[farthest], int(theirs.sum()), gaps[farthest]))
        left &= ~theirs
    return tuple(found)


def _gap(told: Told, code: Ints, writer: int, left: Bools) -> _Gap | None:
    """The difference within task type and strategy, pooled as Mantel and Haenszel do."""
    own, others = left & (code == writer), left & (code != writer)
    if min(int(own.sum()), int(others.sum())) < INSIGHT_ROWS_MIN:
        return None
    stratum = told.task * len(told.strategies) + told.strategy
    size = len(told.tasks) * len(told.strategies)
    n, m = (np.bincount(stratum[rows], minlength=size) for rows in (own, others))
    a, b = (np.bincount(stratum[rows], told.success[rows], size) for rows in (own, others))
    both = (n > 0) & (m > 0)
    if not both.any():
        return None
    n, m, a, b = n[both], m[both], a[both], b[both]
    weight = n * m / (n + m)
    share = (a + b + 1) / (n + m + 2)
    value = float(weight @ (a / n - b / m) / weight.sum())
    spread = float(weight**2 @ (share * (1 - share) * (1 / n + 1 / m)))
    return _Gap(value, math.sqrt(spread) / float(weight.sum()))


def _suspect(writer: str, outcomes: int, gap: _Gap) -> Suspect:
    low, high = gap.value - Z90 * gap.error, gap.value + Z90 * gap.error
    more = "more" if gap.value > 0 else "less"
    near, far = sorted((abs(low), abs(high)))
    fact = (
        f"{writer} reports success {100 * abs(gap.value):.0f} points {more} often "
        f"[{100 * near:.0f}, {100 * far:.0f}], in {outcomes:,} outcomes, "
        "than others do of the same strategies and task types"
    )
    return Suspect(writer=writer, outcomes=outcomes, gap=gap.value, low=low, high=high, fact=fact)
