"""How much one transaction takes on, by what the last one took.

A slice aims at a share of the lock budget, a quarter by default, so that one that meets a
checkpoint stays within it. It doubles at most from one to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from memtend.limits import LOCK_BUDGET_MS, SLICE_ROWS_MAX, SLICE_ROWS_MIN

if TYPE_CHECKING:
    from memtend.clock import Clock

T = TypeVar("T")
P = ParamSpec("P")


class Slices:
    """Parts that grow or shrink, and what they took. `size` is how many rows the next one has."""

    def __init__(
        self,
        clock: Clock,
        *,
        first: int = SLICE_ROWS_MIN,
        least: int = SLICE_ROWS_MIN,
        most: int = SLICE_ROWS_MAX,
        share: float = 0.25,
    ) -> None:
        self._clock = clock
        self._least, self._most, self._aim_ms = least, most, LOCK_BUDGET_MS * share
        self.size = first
        self.count = 0
        self.longest_ms = 0.0

    def of(self, rows: Sequence[T]) -> Iterator[Sequence[T]]:
        at = 0
        while at < len(rows):
            part = rows[at : at + self.size]
            at += len(part)
            yield part

    def timed(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do one slice. One that raises is not counted."""
        began = self._clock.monotonic_ns()
        done = work(*args, **kwargs)
        took_ms = (self._clock.monotonic_ns() - began) / 1e6
        self.count += 1
        self.longest_ms = max(self.longest_ms, took_ms)
        wanted = min(self.size * self._aim_ms / max(took_ms, 0.1), self.size * 2)
        self.size = max(self._least, min(self._most, int(wanted)))
        return done
