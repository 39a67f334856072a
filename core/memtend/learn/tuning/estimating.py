"""What another time to live would have cost, replayed over a log, as the store keeps things.

Where reading renews (`slides`), an entry stays until its time is over after the last access; else
after the last write, and every read from then on until the next write comes too late. What is
changed is told as a mean over accesses with a 90 % interval over keys.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from memtend.learn.feedback import Floats, Ints
from memtend.learn.significance import Z90
from memtend.learn.tuning.facts import Figure
from memtend.learn.tuning.shares import Count, Interval, share

Flags = NDArray[np.bool_]

_CANDIDATES = 48
_DAY_S = 86_400.0
_TICK_S = 0.001


class Bill(NamedTuple):
    """Of each access: bytes times seconds kept from it on, and whether it came too late."""

    byte_s: Floats
    late: Flags


@dataclass(frozen=True, eq=False)
class ClassLog:
    """The accesses of one class, by key and, of a key, by time."""

    t: Floats
    key: Ints
    wrote: Flags
    size: Floats
    end: float

    @classmethod
    def of(cls, t: Floats, key: Ints, wrote: Flags, size: Floats, end: float) -> ClassLog:
        order = np.lexsort((t, key))
        return cls(t[order], key[order], wrote[order], size[order], end)

    def __len__(self) -> int:
        return len(self.t)

    def bill(self, ttl_s: float, *, slides: bool, since: float = -math.inf) -> Bill:
        """A key's first access is nobody's fault. Of what is kept counts what lies after `since`,
        also what was kept from before it."""
        renews = np.ones(len(self), bool) if slides else self.wrote
        before, until = self._before(renews), np.minimum(self._after(renews), self.t + ttl_s)
        kept_s = np.maximum(until - np.maximum(self.t, since), 0.0)
        byte_s = np.where(renews, self.size * kept_s, 0.0)
        return Bill(byte_s, (slides | ~self.wrote) & (self.t - before >= ttl_s))

    def regret(self, ttl_s: float, *, slides: bool) -> float:
        """The share of reads that would have come too late."""
        late = self.bill(ttl_s, slides=slides).late
        return float((late & ~self.wrote).sum()) / max(1, int((~self.wrote).sum()))

    def ages(self, *, slides: bool) -> Floats:
        """How long after what gave it its deadline each read came."""
        renewing = np.ones(len(self), bool) if slides else self.wrote
        ages = (self.t - self._before(renewing))[~self.wrote]
        return ages[np.isfinite(ages) & (ages > 0)]

    def until(self, time: float) -> ClassLog:
        """What was known at a time."""
        rows = self.t < time
        return ClassLog(self.t[rows], self.key[rows], self.wrote[rows], self.size[rows], time)

    def _before(self, which: Flags) -> Floats:
        """The time of the last such access of the same key before each; infinite if none."""
        at = np.where(which, np.arange(len(self)), -1)
        last = np.r_[-1, np.maximum.accumulate(at)[:-1]] if len(self) else at
        known = (last >= 0) & (self.key[np.maximum(last, 0)] == self.key)
        return np.where(known, self.t[np.maximum(last, 0)], np.inf)

    def _after(self, which: Flags) -> Floats:
        """The time of the next such access of the same key after each; else the end of the log."""
        count = len(self)
        at = np.where(which, np.arange(count), count)
        upcoming = np.r_[np.minimum.accumulate(at[::-1])[::-1][1:], count] if count else at
        inside = np.minimum(upcoming, count - 1)
        known = (upcoming < count) & (self.key[inside] == self.key)
        return np.where(known, self.t[inside], self.end)


class Change(NamedTuple):
    """`saving` an access, in reads that come too late; `bytes` kept on average and `misses` a day:
    new less old. `regret` is the share of reads that would, and its interval."""

    saving: Figure
    bytes: Figure
    misses: Figure
    regret_now: float
    regret: Interval


def compare(
    log: ClassLog, now_s: float, ttl_s: float, *, slides: bool, since: float, byte_s_a_miss: float,
    rate: float,
) -> Change:  # fmt: skip
    """What would change from `since` on; `rate` is the share of keys that the log has.

    Whoever keeps for longer than that time lasts keeps in it what was used before it, as in any
    other time: without that, a long time to live would look cheap.
    """
    old = log.bill(now_s, slides=slides, since=since)
    new = log.bill(ttl_s, slides=slides, since=since)
    rows = log.t >= since
    byte_s = new.byte_s - old.byte_s
    late = np.where(rows, new.late.astype(float) - old.late, 0.0)
    cost = byte_s / byte_s_a_miss + late
    count = int(rows.sum())
    watched_s = max(log.end - since, 1.0)
    reads = max(1, int((~log.wrote[rows]).sum()))
    return Change(
        saving=_figure(-cost, log.key, rows),
        bytes=_scaled(_figure(byte_s, log.key, rows), count / watched_s / rate),
        misses=_scaled(_figure(late, log.key, rows), count / watched_s * _DAY_S / rate),
        regret_now=float((old.late & ~log.wrote)[rows].sum()) / reads,
        regret=_share((new.late & ~log.wrote)[rows], ~log.wrote[rows], log.key[rows]),
    )


def best_fixed(
    log: ClassLog, byte_s_a_miss: float, floor_s: float, ceiling_s: float = math.inf
) -> float | None:
    """The time to live after a write that would have cost least; None where nothing was read."""
    ages = log.ages(slides=False)
    if not len(ages):
        return None
    seen = np.quantile(ages, np.linspace(0, 1, _CANDIDATES), method="inverted_cdf")
    # A deadline that has come is over: a time to live lasts a tick longer than the read it is for.
    tried = np.unique(np.clip(seen + _TICK_S, floor_s, ceiling_s))

    def cost(ttl_s: float) -> float:
        bill = log.bill(ttl_s, slides=False)
        return float(bill.byte_s.sum()) / byte_s_a_miss + float(bill.late.sum())

    return float(min(tried, key=cost))


def least_for(log: ClassLog, regret: float, *, slides: bool) -> float:
    """The shortest time to live at which no larger share of the reads would have come too late."""
    ages = np.sort(log.ages(slides=slides))
    late = int(regret * (~log.wrote).sum())
    return float(ages[-1 - late]) + _TICK_S if late < len(ages) else 0.0


def _figure(values: Floats, codes: Ints, rows: Flags) -> Figure:
    """The sum a row of those that count, with its interval over keys."""
    if not rows.any():
        return Figure(0.0, 0.0, 0.0)
    _, keys = np.unique(codes, return_inverse=True)
    sums, counts = np.bincount(keys, values), np.bincount(keys, rows)
    value, known = float(sums.sum() / counts.sum()), len(sums)
    # One key says nothing of the others.
    half = math.inf
    if np.count_nonzero(counts) > 1:
        spread = float(((sums - value * counts) ** 2).sum()) * known / (known - 1)
        half = Z90 * math.sqrt(spread) / float(counts.sum())
    return Figure(value - half, value, value + half)


def _share(late: Flags, reads: Flags, codes: Ints) -> Interval:
    _, keys = np.unique(codes, return_inverse=True)
    pairs = zip(np.bincount(keys, late), np.bincount(keys, reads), strict=True)
    return share([Count(float(a), float(b)) for a, b in pairs])


def _scaled(one: Figure, by: float) -> Figure:
    return Figure(one.low * by, one.value * by, one.high * by)
