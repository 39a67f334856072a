"""What became of a trial: the keys it is tried on against the others, and what follows from that.

A read regrets that something is gone when its key was there in the trial's time, is missing, and
its time to live is over. Keys count from their first access that gave them a deadline since the
trial began: what was written before lives by what held then. Where reading renews, a read that
found what lives by a longer deadline from before counts as it will be once that is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from memtend.learn.tuning.shares import Count, Interval, difference, share

KEYS_MIN: Final = 5
"""Fewer keys on either side decide nothing."""
READS_MIN: Final = 30
"""Fewer reads are no alarm."""


class Access(NamedTuple):
    """One access of a key: `read` found it, `missed` did not, `wrote` gave it a new value."""

    digest: int
    at_ms: int
    size: int
    missed: bool
    wrote: bool


class Terms(NamedTuple):
    """Of a trial. `ttl_ms` of the keys it takes, `old_ms` of the others, None for ever."""

    began_ms: int
    until_ms: int
    ttl_ms: int
    old_ms: int | None
    slides: bool
    regret_max: float
    byte_ms_a_miss: float
    regret_before: float = 0.0


class Arm(NamedTuple):
    """One side, by key: regretted reads of all reads, and costs of all accesses."""

    regret: list[Count]
    cost: list[Count]
    bytes: list[Count]

    @property
    def reads(self) -> float:
        return sum(one.whole for one in self.regret)


class Verdict(StrEnum):
    WAIT = "wait"
    PROMOTE = "promote"
    ROLL_BACK = "roll back"
    ALARM = "alarm"


class Seen(NamedTuple):
    """What a look at a trial found. `cost` is tried less untried, in reads that come too late, an
    access; `kept` the same for bytes times milliseconds."""

    verdict: Verdict
    why: str
    regret: Interval
    regret_rest: Interval
    cost: Interval
    kept: Interval
    reads: int
    reads_rest: int


def arm(accesses: Iterable[Access], terms: Terms, ttl_ms: int | None, now_ms: int) -> Arm:
    """`accesses` by key and, of a key, by time."""
    found = Arm([], [], [])
    for _, of_key in groupby(accesses, key=attrgetter("digest")):
        regret, cost, kept, count, reads = 0, 0.0, 0.0, 0, 0
        last: Access | None = None  # that gave it its deadline
        ordered = [one for one in of_key if one.at_ms >= terms.began_ms]
        for one in ordered:
            over = last is not None and ttl_ms is not None and one.at_ms >= last.at_ms + ttl_ms
            if last is not None:
                count += 1
                reads += not one.wrote
                # Found by a longer deadline from before, where reading renews: later it would not.
                late = over and (one.missed or (terms.slides and not one.wrote))
                regret += late
                cost += late
            if one.wrote or (terms.slides and not one.missed):
                if last is not None:
                    kept += _kept(last, one.at_ms, ttl_ms)
                last = one
        if last is not None:
            kept += _kept(last, now_ms, ttl_ms)
            count += 1
            cost += kept / terms.byte_ms_a_miss
            found.regret.append(Count(regret, reads))
            found.cost.append(Count(cost, count))
            found.bytes.append(Count(kept, count))
    return found


def _kept(one: Access, until_ms: int, ttl_ms: int | None) -> float:
    lasted_ms = until_ms - one.at_ms
    return float(one.size * (lasted_ms if ttl_ms is None else min(lasted_ms, ttl_ms)))


def judge(tried: Arm, rest: Arm, terms: Terms, now_ms: int, longest_ms: int) -> Seen:
    """What to do with a canary. Undecided, it goes on until `longest_ms`, and then it ends."""
    seen = _seen(tried, rest)
    if why := _alarm(seen, terms, beside=True):
        return seen._replace(verdict=Verdict.ALARM, why=why)
    if now_ms < terms.until_ms:
        return seen._replace(why="its time is not over")
    cheaper = seen.cost.keys >= KEYS_MIN and seen.cost.high <= 0
    if cheaper and seen.regret.value <= max(terms.regret_max, seen.regret_rest.value):
        why = (
            f"it costs {-seen.cost.value:.3g} reads too late less an access "
            f"({-seen.cost.high:.3g} to {-seen.cost.low:.3g}) than the keys it was not tried on"
        )
        return seen._replace(verdict=Verdict.PROMOTE, why=why)
    if seen.cost.keys >= KEYS_MIN and seen.cost.low > 0:
        return seen._replace(verdict=Verdict.ROLL_BACK, why="it costs more than what holds now")
    if now_ms < longest_ms:
        undecided = "too many reads come too late" if cheaper else "nothing is decided yet"
        return seen._replace(why=undecided)
    why = "it was not shown to be better in twice its time"
    return seen._replace(verdict=Verdict.ROLL_BACK, why=why)


def watch(tuned: Arm, terms: Terms) -> Seen:
    """What to do with one that was promoted: it stays, unless too much is regretted."""
    seen = _seen(tuned, Arm([], [], []))
    if why := _alarm(seen, terms, beside=False):
        return seen._replace(verdict=Verdict.ALARM, why=why)
    return seen._replace(why="it holds")


def _seen(tried: Arm, rest: Arm) -> Seen:
    return Seen(
        Verdict.WAIT, "", share(tried.regret), share(rest.regret),
        difference(tried.cost, rest.cost), difference(tried.bytes, rest.bytes),
        int(tried.reads), int(rest.reads),
    )  # fmt: skip


def _alarm(seen: Seen, terms: Terms, *, beside: bool) -> str:
    """Why it is to be taken back at once. What was regretted before is nobody's fault now: a
    canary must do worse than the others, and what is tuned worse than what was before it."""
    found = seen.regret
    if seen.reads < READS_MIN or found.keys < KEYS_MIN or found.low <= terms.regret_max:
        return ""
    if beside and seen.regret_rest.keys >= KEYS_MIN and found.low <= seen.regret_rest.high:
        return ""
    if not beside and found.low <= terms.regret_before:
        return ""
    return (
        f"{found.value:.1%} of {seen.reads:,} reads came too late ({found.low:.1%} to "
        f"{found.high:.1%}), and {terms.regret_max:.1%} is the most"
    )


def by_arm(accesses: Iterable[Access], taken: Mapping[int, bool]) -> tuple[list[Access], ...]:
    """Those of the keys that are tried on, and the others."""
    tried: list[Access] = []
    rest: list[Access] = []
    for one in accesses:
        (tried if taken[one.digest] else rest).append(one)
    return tried, rest
