"""Times that a person can read: `3h20m` instead of `3h17m23s412ms`."""

from __future__ import annotations

from typing import Final

_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000
_STEPS: Final = (
    7 * _DAY, _DAY, 12 * _HOUR, 6 * _HOUR, 3 * _HOUR, _HOUR, 30 * _MINUTE, 10 * _MINUTE,
    5 * _MINUTE, _MINUTE, 30 * _SECOND, 10 * _SECOND, 5 * _SECOND, _SECOND, 100, 10,
)  # fmt: skip
_FINE: Final = 0.05


def readable(ms: int) -> int:
    """Up to the next whole step, where steps are at most a twentieth of the time itself.

    >>> readable(11_843_412) / 60_000
    200.0
    """
    step = next((one for one in _STEPS if one <= _FINE * ms), 1)
    return -(-ms // step) * step
