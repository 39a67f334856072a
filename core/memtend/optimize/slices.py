"""How much one slice takes on: as much as fits into a quarter of the lock budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from memtend.limits import LOCK_BUDGET_MS, SLICE_ROWS_MAX, SLICE_ROWS_MIN

if TYPE_CHECKING:
    from memtend.clock import Clock

T = TypeVar("T")


class Slices:
    """Parts that grow or shrink with what the last one took, and what they took."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._size = SLICE_ROWS_MIN
        self.count = 0
        self.longest_ms = 0.0

    def of(self, rows: Sequence[T]) -> Iterator[Sequence[T]]:
        at = 0
        while at < len(rows):
            part = rows[at : at + self._size]
            at += len(part)
            yield part

    def timed(self, work: Callable[[], T]) -> T:
        """Do one slice."""
        began = self._clock.monotonic_ns()
        done = work()
        took_ms = (self._clock.monotonic_ns() - began) / 1e6
        self.count += 1
        self.longest_ms = max(self.longest_ms, took_ms)
        wanted = self._size * LOCK_BUDGET_MS / 4 / max(took_ms, 0.1)
        self._size = max(SLICE_ROWS_MIN, min(SLICE_ROWS_MAX, int(min(wanted, self._size * 2))))
        return done


class Thinner(Generic[T]):
    """At most `most` of what is added, evenly from all over; the same ones every time."""

    def __init__(self, most: int) -> None:
        self.kept: list[T] = []
        self._most, self._every, self._number = most, 1, 0

    def add(self, one: T) -> None:
        if self._number % self._every == 0:
            self.kept.append(one)
            if len(self.kept) > self._most:
                self.kept = self.kept[::2]
                self._every *= 2
        self._number += 1
