"""How a check is put into words: short ways to make one, used by all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from memtend.durations import show_duration
from memtend.health.facts import HealthFacts
from memtend.health.report import Check, Level

Judge = Callable[[HealthFacts], Iterator[Check]]
"""Gives no check where it was not asked, or nothing is known."""

_MINUTE_MS: Final = 60_000
_NAMED: Final = 3


def ok(name: str, fact: str, hint: str = "") -> Check:
    return Check(name=name, level=Level.OK, fact=fact, hint=hint)


def warning(name: str, fact: str, hint: str) -> Check:
    return Check(name=name, level=Level.WARNING, fact=fact, hint=hint)


def critical(name: str, fact: str, hint: str) -> Check:
    return Check(name=name, level=Level.CRITICAL, fact=fact, hint=hint)


def age(ms: int) -> str:
    """To the minute."""
    whole = ms // _MINUTE_MS * _MINUTE_MS
    return show_duration(whole) if whole > 0 else "under a minute"


def some_of(found: tuple[str, ...]) -> str:
    """The first few of what was found, and how many more there are."""
    more = len(found) - _NAMED
    return "; ".join(found[:_NAMED]) + (f"; and {more:,} more" if more > 0 else "")
