"""Clocks. The only module that reads time and randomness."""

from __future__ import annotations

import os
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


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


def to_datetime(ms: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms)


def to_ms(at: datetime) -> int:
    return round(at.timestamp() * 1_000)
