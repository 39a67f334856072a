"""A few of many: evenly from all over, without knowing beforehand how many there are."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


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
