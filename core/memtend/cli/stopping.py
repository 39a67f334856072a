"""Commands that go on until somebody stops them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any


@contextmanager
def stopped() -> Iterator[Event]:
    """Set by the first Ctrl-C or SIGTERM; the second Ctrl-C has its usual effect.

    A second SIGTERM has none: `timeout` and some service managers send it to a process and to its
    group, and who wants an end at once sends SIGKILL.
    """
    ended = Event()
    before: dict[signal.Signals, Any] = {}

    def stop(*_: object) -> None:
        ended.set()
        signal.signal(signal.SIGINT, before[signal.SIGINT])

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, stop)
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
