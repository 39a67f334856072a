"""Times and sizes as people write them: `90s`, `1d12h`, `100MiB`.

    >>> parse_duration("1d12h")
    129600000
    >>> show_duration(129_600_000)
    '1d12h'
    >>> parse_bytes("100MiB"), parse_bytes("2kB")
    (104857600, 2000)

What cannot be read is None, never a guess; `show_duration` is exact, so it reads back the same.
"""

from __future__ import annotations

import re
from typing import Final

_UNITS_MS: Final = {
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_DURATION = re.compile(r"(?:([0-9]{1,15})(ms|[wdhms]))", re.ASCII)
_BYTES = re.compile(r"([0-9]{1,15}) ?(?:(k|m|g|t)(i?))?b?", re.ASCII | re.IGNORECASE)


def parse_duration(text: str) -> int | None:
    """Milliseconds; each unit at most once, the biggest first."""
    parts = _DURATION.findall(text)
    units = [unit for _, unit in parts]
    order = [unit for unit in _UNITS_MS if unit in units]
    if not parts or units != order or "".join(n + unit for n, unit in parts) != text:
        return None
    return sum(int(n) * _UNITS_MS[unit] for n, unit in parts)


def show_duration(ms: int) -> str:
    """Days and smaller; weeks are left to people."""
    shown = ""
    for unit, size in list(_UNITS_MS.items())[1:]:
        count, ms = divmod(ms, size)
        shown += f"{count}{unit}" if count else ""
    return shown or "0s"


def show_ttl(ttl_ms: int | None) -> str:
    """A time to live; None is for ever."""
    return "permanent" if ttl_ms is None else show_duration(ttl_ms)


def parse_bytes(text: str) -> int | None:
    """`kB`, `MB` count thousands; `KiB`, `MiB` count 1024."""
    found = _BYTES.fullmatch(text.replace("_", ""))
    if found is None:
        return None
    number, prefix, binary = found.groups()
    power = "kmgt".index(prefix.lower()) + 1 if prefix else 0
    base = 1_024 if binary else 1_000
    return int(number) * int(base**power)
