"""A store to try flows on."""

from __future__ import annotations

from typing import NamedTuple

from memtend.clock import ManualClock, SystemClock
from memtend.drafting import Put
from memtend.limits import SWEEP_MARGIN_MS
from memtend.memory import Memory

LIVE = 40
DEAD = 8
DAY_MS = 24 * 3_600_000
SAME = {"note": "the build is slow on Mondays, " * 40, "seen": True}
"""What many records say; one of them is enough."""


class Scratch(NamedTuple):
    """A store with `LIVE` records and `DEAD` whose TTL is over, and a place for its backups."""

    store: str
    target: str


def fill(store: str, live: int = LIVE, dead: int = DEAD) -> None:
    """Write records that live for ever and records that died long enough ago to be swept."""
    ended = SystemClock().now_ms() - 10 * SWEEP_MARGIN_MS
    with Memory.open(store) as memory:
        memory.put_many(
            [Put("task/alive", f"k{n}", {"n": n}, ttl_ms=0) for n in range(live)]
            + [
                Put("task/dead", f"d{n}", {"n": n}, created_ms=ended - 1, expires_at_ms=ended)
                for n in range(dead)
            ]
        )


def repeat(store: str, times: int, *, seed: int = 0) -> int:
    """Write the same so often, months ago, beside what lives; how many records the store has.

    Stores of one seed have one id."""
    clock = ManualClock(SystemClock().now_ms() - 60 * DAY_MS, seed=seed)
    with Memory.open(store, clock=clock) as memory:
        memory.put_many([Put("notes/old", f"n{n}", SAME, ttl_ms=0) for n in range(times)])
        memory.put_many([Put("task/alive", f"k{n}", {"n": n}, ttl_ms=0) for n in range(LIVE)])
    return LIVE + times


def records(store: str) -> int:
    with Memory.open(store, create=False) as memory:
        return memory.stats().records
