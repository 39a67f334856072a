"""A store to try flows on."""

from __future__ import annotations

from typing import NamedTuple

from memtend.clock import SystemClock
from memtend.drafting import Put
from memtend.limits import SWEEP_MARGIN_MS
from memtend.memory import Memory

LIVE = 40
DEAD = 8


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


def records(store: str) -> int:
    with Memory.open(store, create=False) as memory:
        return memory.stats().records
