"""Patience with the lease of somebody who is no longer there.

A process that was killed leaves its lease behind, and that runs out by itself. Whoever comes next
waits for it rather than fail, and looks every few seconds whether it was given back. A holder that
lives renews its lease: in the end `LeaseHeld` says who it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from prefect.logging import get_logger

from memtend.errors import LeaseHeld
from memtend.limits_flows import LEASE_PATIENCE_S

_MARGIN_S = 0.5
_LOOK_S = 5.0

P = ParamSpec("P")
R = TypeVar("R")


def patient(function: Callable[P, R], most_s: float = LEASE_PATIENCE_S) -> Callable[P, R]:
    """The same function; where it meets a lease, it is called again when that has run out."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        left_s = most_s
        while True:
            try:
                return function(*args, **kwargs)
            except LeaseHeld as held:
                needed_s = float(str(held.facts["left_s"])) + _MARGIN_S
                if needed_s > left_s:
                    raise
                get_logger(__name__).info("Waiting: %s", held)
            pause_s = min(needed_s, _LOOK_S)
            left_s -= pause_s
            time.sleep(pause_s)

    return wrapper
