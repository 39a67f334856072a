"""How long operations take, counted where they run and added up in the store by the hour.

Timing an operation costs two microseconds, which a get would feel. So of gets one in 127 is timed
and stands for 127 of them, of single writes one in 13; whatever takes longer is timed each time.
The counts are kept in memory and written behind: with the access counts, at close, and by who
writes once a minute. A crash loses some, and so do threads that count at the same instant; nobody
misses a count.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import cycle
from types import TracebackType
from typing import TYPE_CHECKING, Final

from memtend.limits_upkeep import (
    LATENCY_FLUSH_MS,
    LATENCY_HOURS,
    LATENCY_KEEP_HOURS,
    LATENCY_READ_EVERY,
    LATENCY_WRITE_EVERY,
)
from memtend.model.latency import TIERS, OpLatency, bucket_of, latency
from memtend.store.engine import survives_fork

if TYPE_CHECKING:
    from memtend.clock import Clock
    from memtend.store.engine import Engine, Transaction

HOUR_MS: Final = 3_600_000
HIT, MISS = "hit", "miss"
_CACHE: Final = "cache "
"""Before the name of a cache, whose hits and misses are counted as two tiers of an operation."""


Counted = tuple[str, str, int]
"""An operation, a tier, and the bucket of times."""


class Met(threading.local):
    """The coldest tier that the operation of this thread has met so far."""

    tier = 0


class Latencies:
    """Of one open store. Threads share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[Counted, int] = {}
        self._flushed_ns = now_ns = clock.monotonic_ns()
        self.met = Met()
        self.read_turns = _every(LATENCY_READ_EVERY + 1, now_ns)  # for the timed one asks twice
        self.write_turns = _every(LATENCY_WRITE_EVERY, now_ns)
        survives_fork(self)

    def foresee(self) -> None:
        """Nothing has to be known of the parent."""

    def abandon(self) -> None:
        """In a forked child: what the parent has counted, the parent writes."""
        self._lock, self._counts = threading.Lock(), {}

    @property
    def is_filled(self) -> bool:
        return bool(self._counts)

    def timing(self, op: str, stands_for: int = 1) -> Timing:
        """A `with` block whose time is counted, unless it raises."""
        return Timing(self, self._clock.monotonic_ns, op, stands_for)

    def note(self, op: str, tier: int, ns: int, count: int = 1) -> None:
        self._add((op, TIERS[tier], bucket_of(ns)), count)

    def cached(self, cache: str, *, hit: bool) -> None:
        """Count that a cache had, or had not, what somebody asked it for."""
        self._add((_CACHE + cache, HIT if hit else MISS, 0), 1)

    def is_due(self) -> bool:
        """Whether somebody who has just written anyway should write these, too."""
        waited_ns = self._clock.monotonic_ns() - self._flushed_ns
        return waited_ns > LATENCY_FLUSH_MS * 1_000_000 and bool(self._counts)

    def taken(self) -> dict[Counted, int]:
        """What was counted so far; from now on somebody else's to write."""
        with self._lock:
            counts, self._counts = self._counts, {}
            self._flushed_ns = self._clock.monotonic_ns()
        # Copied at one stroke: another thread may still be counting in the old ones.
        return counts.copy()

    def write(self, tx: Transaction, counts: dict[Counted, int]) -> None:
        """Add the counts to those of the store, and let go of what is too old."""
        if counts:
            hour = self._clock.now_ms() // HOUR_MS
            tx.run("drop_latencies", (hour - LATENCY_KEEP_HOURS, hour + LATENCY_KEEP_HOURS))
            # In order, so that two processes never wait for each other's rows in a circle.
            tx.run_many("save_latency", [(hour, *place, counts[place]) for place in sorted(counts)])

    def _add(self, place: Counted, count: int) -> None:
        counts = self._counts
        counts[place] = counts.get(place, 0) + count


class Timing:
    """A class, because it runs around whole operations."""

    __slots__ = ("_began", "_count", "_latencies", "_now_ns", "_op")

    def __init__(
        self, latencies: Latencies, now_ns: Callable[[], int], op: str, count: int
    ) -> None:
        self._latencies, self._now_ns, self._op, self._count = latencies, now_ns, op, count

    def __enter__(self) -> None:
        self._latencies.met.tier = 0
        self._began = self._now_ns()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            took, latencies = self._now_ns() - self._began, self._latencies
            latencies.note(self._op, latencies.met.tier, took, self._count)


def _every(count: int, seed: int) -> Iterator[bool]:
    """True once in `count` turns. It begins anywhere, so that programs that make few calls are
    heard as often as those that make many."""
    first = seed % count
    return cycle([turn == first for turn in range(count)])


def latencies(engine: Engine, now_ms: int, hours: int = LATENCY_HOURS) -> tuple[OpLatency, ...]:
    """Of every operation and tier that there was in the last hours."""
    found: dict[tuple[str, str], dict[int, int]] = {}
    for op, tier, bucket, count in _since(engine, now_ms, hours):
        if not op.startswith(_CACHE):
            found.setdefault((op, tier), {})[bucket] = count
    return tuple(latency(op, tier, counts) for (op, tier), counts in found.items())


def cache_reads(
    engine: Engine, now_ms: int, hours: int = LATENCY_HOURS
) -> dict[str, tuple[int, int]]:
    """Hits and misses of every cache that was read in the last hours."""
    found: dict[str, dict[str, int]] = {}
    for op, tier, _, count in _since(engine, now_ms, hours):
        if op.startswith(_CACHE):
            found.setdefault(op.removeprefix(_CACHE), {})[tier] = count
    return {cache: (ways.get(HIT, 0), ways.get(MISS, 0)) for cache, ways in found.items()}


def _since(engine: Engine, now_ms: int, hours: int) -> list[tuple[str, str, int, int]]:
    hour = now_ms // HOUR_MS
    # Another machine's clock may be a little ahead. One that was far ahead says nothing of today.
    rows = engine.read("latencies_since", (hour - hours, hour + 1))
    # A sum is a decimal on PostgreSQL. A row without a count is damaged, and says nothing.
    return [(op, tier, bucket, int(count)) for op, tier, bucket, count in rows if count]
