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

    After a SIGTERM no other is heeded for the rest of the process, which is then about to end:
    `timeout` sends two, to the process and to its group, and whoever wants it gone at once sends
    SIGKILL.
    """
    ended = Event()
    before: dict[int, Any] = {}

    def stop(number: int, _: object) -> None:
        ended.set()
        if number == signal.SIGTERM:
            del before[number]
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGINT, before[signal.SIGINT])

    for ending in (signal.SIGINT, signal.SIGTERM):
        before[ending] = signal.signal(ending, stop)
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
