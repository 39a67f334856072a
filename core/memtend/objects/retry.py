"""Try again, a bounded number of times, and only when the same call may succeed later.

The pause doubles and is then shortened by chance, so that many clients of one failing target do
not come back together. Chance and sleep are handed in.
"""

from __future__ import annotations

from collections.abc import Callable
from time import sleep as real_sleep
from typing import TypeVar

from memtend.errors import TargetUnavailable
from memtend.limits import TARGET_PAUSE_S, TARGET_PAUSE_S_MAX, TARGET_TRIES

T = TypeVar("T")


class Retry:
    """Calls again on `TargetUnavailable`. `chance()` lies in 0..1."""

    def __init__(
        self,
        chance: Callable[[], float],
        sleep: Callable[[float], None] = real_sleep,
        tries: int = TARGET_TRIES,
    ) -> None:
        self._chance = chance
        self._sleep = sleep
        self._tries = tries

    def __call__(self, call: Callable[[], T]) -> T:
        for attempt in range(self._tries - 1):
            try:
                return call()
            except TargetUnavailable:
                pause_s = min(TARGET_PAUSE_S * 2**attempt, TARGET_PAUSE_S_MAX)
                self._sleep(pause_s * (0.5 + self._chance() / 2))
        return call()
