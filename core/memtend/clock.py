"""Clocks. The only module that reads time and randomness.

`SystemClock` is guarded (CRDT_SPEC 2.2): it follows the wall clock as long as the wall clock stays
near elapsed time. When the wall clock jumps by more than five seconds, guarded time goes on along
elapsed time and `alarm_ms` says how far the wall clock is off; nothing may be called expired then.
Unless somebody accepts a jump, `now_ms` never goes back.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple, Protocol

from memtend.limits import (
    CLOCK_AGREE_MS,
    CLOCK_ALARM_MS,
    CLOCK_DRIFT_PPM,
    CLOCK_LOOK_MS,
    CLOCK_SOURCES_MIN,
)

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_NS: Final = 1_000_000
_DRIFT: Final = 1_000_000 // CLOCK_DRIFT_PPM
_SCATTER: Final = 0x9E3779B97F4A7C15F39CC0605CEDC835  # odd, so distinct numbers stay distinct


class Clock(Protocol):
    """Where everybody else gets time and identity from."""

    def now_ms(self) -> int:
        """Guarded wall time, milliseconds since the epoch (CRDT_SPEC 2.2)."""

    def monotonic_ns(self) -> int:
        """Elapsed time for durations; never goes back."""

    @property
    def alarm_ms(self) -> int | None:
        """How far the wall clock is from elapsed time while the clock alarm is on, else None."""

    def new_id(self) -> str:
        """128 random bits as 32 hex digits."""


class Guard(NamedTuple):
    """Guarded time `at_ns` at boot time `boot_ns`; `off_ns` is the wall clock's error in alarm."""

    at_ns: int
    boot_ns: int
    off_ns: int | None = None

    def read(self, wall_ns: int, boot_ns: int) -> Guard:
        """The guard after looking at both clocks. Pure."""
        elapsed = max(boot_ns - self.boot_ns, 0)
        expected = self.at_ns + elapsed
        error = wall_ns - expected
        if abs(error) > CLOCK_ALARM_MS * _NS:
            return Guard(expected, boot_ns, error)
        slack = elapsed // _DRIFT
        return Guard(expected + max(-slack, min(error, slack)), boot_ns)

    def agrees(self, wall_ns: int, sources: Mapping[str, int]) -> bool:
        """Whether enough independent sources read (in ms) what the wall clock reads."""
        near = [ms for ms in sources.values() if abs(ms * _NS - wall_ns) <= CLOCK_AGREE_MS * _NS]
        return len(near) >= CLOCK_SOURCES_MIN


# One lock for all clocks: it is taken a few times a second, and a fork can renew it.
_lock = threading.Lock()


def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 — the parent's lock may be held by a thread that is not here
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


class GuardedClock:
    """A clock from two readers: the wall clock, and a clock that only counts elapsed time.

    The wall clock is looked at once per `look_ms`. Between looks the reading runs at the slowest
    rate the drift limit allows, so that a look never sets it back.
    """

    def __init__(
        self, wall_ns: Callable[[], int], boot_ns: Callable[[], int], look_ms: int
    ) -> None:
        self._wall_ns = wall_ns
        self._boot_ns = boot_ns
        self._look_ns = look_ms * _NS
        self._guard = Guard(wall_ns(), boot_ns())

    def now_ms(self) -> int:
        at, since, _ = self._guard
        elapsed = self._boot_ns() - since
        if elapsed < self._look_ns:
            return (at + elapsed - elapsed // _DRIFT) // _NS
        return self._look().at_ns // _NS

    def monotonic_ns(self) -> int:
        return self._boot_ns()

    @property
    def alarm_ms(self) -> int | None:
        off_ns = self._look().off_ns
        return None if off_ns is None else round(off_ns / _NS)

    def accept(self) -> None:
        """Take the wall clock as right from now on; ends the alarm. Time may go back."""
        with _lock:
            self._guard = Guard(self._wall_ns(), self._boot_ns())

    def agree(self, sources: Mapping[str, int]) -> bool:
        """Accept the wall clock if independent sources (name → ms, read just now) confirm it."""
        confirmed = self._guard.agrees(self._wall_ns(), sources)
        if confirmed and self.alarm_ms is not None:
            self.accept()
        return confirmed

    def _look(self) -> Guard:
        with _lock:
            self._guard = guard = self._guard.read(self._wall_ns(), self._boot_ns())
        return guard


def _system_boot_ns() -> Callable[[], int]:
    """Elapsed time that goes on while the machine sleeps, where the platform has it."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    if boottime is None:
        return time.monotonic_ns
    return partial(time.clock_gettime_ns, boottime)


class SystemClock(GuardedClock):
    """This machine's clock. Thread-safe, safe across fork, a fraction of a microsecond a reading.

    Make one per process and hand it around: a new one believes the wall clock it finds.
    """

    def __init__(self) -> None:
        super().__init__(time.time_ns, _system_boot_ns(), CLOCK_LOOK_MS)

    def new_id(self) -> str:
        return os.urandom(16).hex()


class ManualClock(GuardedClock):
    """A clock for tests: stands still until told, and draws the same ids for the same seed."""

    def __init__(self, now_ms: int = 1_750_000_000_000, seed: int = 0) -> None:
        self._wall = now_ms * _NS
        self._boot = 0
        self._seed = seed
        self._ids = 0
        super().__init__(lambda: self._wall, lambda: self._boot, look_ms=0)

    def advance(self, ms: float) -> None:
        """Let time pass on both clocks."""
        if ms < 0:
            raise ValueError("time passes forwards; use jump")
        self._boot += round(ms * _NS)
        self._wall += round(ms * _NS)

    def jump(self, ms: int) -> None:
        """Set the wall clock forward or back while no time passes."""
        self._wall += ms * _NS

    def new_id(self) -> str:
        """Scattered like random ids, so that their order says nothing; never repeated."""
        self._ids += 1
        return f"{(self._seed << 64 | self._ids) * _SCATTER % (1 << 128):032x}"


def to_datetime(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


def to_ms(at: datetime) -> int:
    """Milliseconds since the epoch; a part of a millisecond is dropped."""
    past = at - _EPOCH  # its seconds and microseconds are never negative
    return past.days * 86_400_000 + past.seconds * 1_000 + past.microseconds // 1_000
