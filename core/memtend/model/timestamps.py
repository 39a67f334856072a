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

from memtend.clock import to_datetime, to_ms
from memtend.errors import InvalidSettings

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,12}))?"
    r"\s?(Z|z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
# What JavaScript writes, on days that every month has.
_USUAL = re.compile(
    r"[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3])(?::[0-5]\d){2}\.\d{3}Z",
    re.ASCII,
)
_WANTED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:\d{0,5}[1-9])?\+00:00", re.ASCII)
# What can be left to Python, which alone would take more shapes than are allowed here.
_PLAIN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,12})?(?:Z|\+00:00)", re.ASCII)
_DIGITS = re.compile(r"\d{1,20}(?:\.\d{1,12})?", re.ASCII)
_END_MS: Final = 253_402_300_800_000  # the year 10000
_DIGITS_MAX: Final = 12  # after the point: beyond, it is no reading of a clock
_NUMBER_END: Final = 10**20
_KINDS: Final = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
_UNITS: Final = ((10**11, 0), (10**14, -3), (10**17, -6), (_NUMBER_END, -9))


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
    ms = _plain_ms(value)
    return _any_moment(value, zone) if ms is None else Moment(ms, naive=False)


def ms_of(value: Any, zone: tzinfo = UTC) -> int | None:
    """The same moment as a number; None for everything that is not clearly one. Fast."""
    ms = _plain_ms(value)
    if ms is not None or value is None:
        return ms
    try:
        return _any_moment(value, zone).ms
    except NotATime:
        return None


def _plain_ms(value: Any) -> int | None:
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        try:
            ms = to_ms(datetime.fromisoformat(value))
        except ValueError:
            return None
        return ms if 0 <= ms < _END_MS else None
    return None


def _any_moment(value: Any, zone: tzinfo) -> Moment:
    number = _number(value)
    if number is not None:
        return _epoch(number)
    if isinstance(value, str):
        if found := _ISO.fullmatch(value.strip()):
            return _iso(*found.groups(), zone=zone)
        raise NotATime(f"{value[:64]!r} is no timestamp")
    raise NotATime(f"{_KINDS.get(type(value), 'this')} is no timestamp")


def of_javascript(value: Any) -> str | None:
    """What `utc_text` makes of JavaScript's own spelling, on days that every month has. Fast."""
    if isinstance(value, str) and _USUAL.fullmatch(value):
        return f"{value[:-1]}000+00:00"
    return None


def utc_text(value: Any) -> str | None:
    """`2026-09-05T07:10:59.953000+00:00`: the moment with every digit it has, and at least six.

    None for what is no moment, and for one without a zone.
    """
    if isinstance(value, str) and _WANTED.fullmatch(value):
        return value if _exists(value) else None
    return of_javascript(value) or _utc_text(value)


def _exists(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


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


def _utc_text(value: Any) -> str | None:
    try:
        number = _number(value)
        if number is not None:
            seconds = _seconds(number)
            fraction = f"{seconds % 1:f}".partition(".")[2]
            at = to_datetime(int(seconds) * 1_000)
            return _written(at, fraction) if len(fraction) <= _DIGITS_MAX else None
        found = _ISO.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None or found[4] is None:
            return None
        at = datetime.fromisoformat(f"{found[1]}T{found[2]}{found[4].upper()}")
        return _written(at.astimezone(UTC), found[3] or "")
    except (ValueError, OverflowError):
        return None


def _number(value: Any) -> Decimal | None:
    """The number that this is, or spells; None where it is none."""
    if isinstance(value, str):
        return Decimal(value.strip()) if _DIGITS.fullmatch(value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and not 0 <= value < _NUMBER_END:
        raise NotATime("a number out of range is no timestamp")
    return Decimal(repr(value))


def _epoch(number: Decimal) -> Moment:
    return Moment(_checked(int(_seconds(number) * 1_000)), naive=False)


def _seconds(number: Decimal) -> Decimal:
    """Epoch seconds of a number in a unit that its size tells."""
    if number.is_finite() and number >= 0:
        for below, unit in _UNITS:
            if number < below:
                return number.scaleb(unit)
    raise NotATime(f"{number} is no timestamp")


def _written(at: datetime, fraction: str) -> str:
    return f"{at.isoformat()[:19]}.{fraction.rstrip('0').ljust(6, '0')}+00:00"


def _checked(ms: int) -> int:
    if not 0 <= ms < _END_MS:
        raise NotATime(f"{ms} ms is not between 1970 and 9999")
    return ms
