"""Moments in every shape that older programs wrote.

ISO 8601 with `Z` or an offset, naive ISO and dates (read in the zone the user names, and counted),
epoch seconds, milliseconds, microseconds and nanoseconds, as numbers or as digits. Numbers are told
apart by size: each unit's range for the years 1973 to 5138 is its own. Parts of a millisecond are
dropped. Anything else is `NotATime`, never a guess.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from memtend.clock import to_ms
from memtend.errors import InvalidSettings

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,12}))?"
    r"\s?(Z|z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_DIGITS = re.compile(r"\d{1,20}(?:\.\d{1,12})?", re.ASCII)
_SECONDS_BELOW: Final = 10**11
_END_MS: Final = 253_402_300_800_000  # the year 10000
_PER_MS: Final = ((10**14, 1), (10**17, 10**3), (10**20, 10**6))


class NotATime(ValueError):
    """No moment between 1970 and 9999 is meant by this."""


class Moment(NamedTuple):
    """`naive` says that the zone was assumed."""

    ms: int
    naive: bool


def zone_named(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidSettings(name="zone", why=f"{name!r} is no time zone known here") from None


def parse_moment(value: Any, zone: tzinfo = UTC) -> Moment:
    """Raises `NotATime` for everything that is not clearly a moment."""
    if isinstance(value, str):
        text = value.strip()
        found = _ISO.fullmatch(text)
        if found:
            return _iso(*found.groups(), zone=zone)
        if _DIGITS.fullmatch(text):
            return _epoch(Decimal(text))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        return _epoch(Decimal(repr(value)))
    raise NotATime(f"{str(value)[:64]!r} is no timestamp")


def _iso(
    day: str, clock: str | None, fraction: str | None, offset: str | None, *, zone: tzinfo
) -> Moment:
    text = f"{day}T{clock or '00:00'}{(offset or '').upper()}"
    try:
        at = datetime.fromisoformat(text)
        naive = at.tzinfo is None
        whole_ms = to_ms(at.replace(tzinfo=zone) if naive else at)
    except (ValueError, OverflowError):
        raise NotATime(f"{text!r} is no timestamp") from None
    return Moment(_checked(whole_ms + int(((fraction or "") + "000")[:3])), naive)


def _epoch(number: Decimal) -> Moment:
    if not number.is_finite() or number < 0:
        raise NotATime(f"{number} is no timestamp")
    if number < _SECONDS_BELOW:
        return Moment(_checked(int(number * 1_000)), naive=False)
    for below, per_ms in _PER_MS:
        if number < below:
            return Moment(_checked(int(number // per_ms)), naive=False)
    raise NotATime(f"{number} is no timestamp")


def _checked(ms: int) -> int:
    if not 0 <= ms < _END_MS:
        raise NotATime(f"{ms} ms is not between 1970 and 9999")
    return ms
