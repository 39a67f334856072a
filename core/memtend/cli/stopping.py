"""Commands that go on until somebody stops them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any


@contextmanager
def stopped() -> Iterator[Event]:
    """Set by the first Ctrl-C or SIGTERM; the second one has its usual effect."""
    ended = Event()
    before: dict[signal.Signals, Any] = {}

    def stop(*_: object) -> None:
        ended.set()
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, stop)
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
