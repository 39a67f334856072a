"""Every shape of one moment means that moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.clock import to_datetime
from memtend.errors import InvalidSettings
from memtend.model import timestamps
from memtend.model.timestamps import Moment, NotATime, parse_moment, utc_text, zone_named

# From 1973-03-03 on, every unit of the epoch has its own range of numbers.
MOMENTS_MS = st.integers(10**11, 4_000_000_000_000)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@given(MOMENTS_MS, OFFSETS, st.integers(0, 999))
def test_every_shape_of_a_moment(ms: int, offset: timezone, below_ms: int) -> None:
    at = to_datetime(ms)
    micro = (at + timedelta(microseconds=below_ms)).isoformat(timespec="microseconds")
    aware: list[Any] = [
        at.isoformat(),
        at.isoformat().replace("+00:00", "Z"),
        at.isoformat(sep=" "),
        at.astimezone(offset).isoformat(),
        micro,
        ms / 1_000,
        ms,
        str(ms),
        ms * 1_000 + below_ms,
        ms * 10**6 + below_ms,
        f"{ms / 1_000:.3f}",
    ]
    assert {parse_moment(shape) for shape in aware} == {Moment(ms, naive=False)}
    naive = at.replace(tzinfo=None).isoformat()
    assert parse_moment(naive) == Moment(ms, naive=True)
    here = at.astimezone(offset).replace(tzinfo=None).isoformat()
    assert parse_moment(here, offset) == Moment(ms, naive=True)


@given(st.dates(datetime(1971, 1, 1).date(), datetime(2200, 1, 1).date()))
def test_a_date_is_its_midnight_in_the_zone(day: Any) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert parse_moment(day.isoformat()) == Moment(int(midnight.timestamp() * 1_000), naive=True)


def either(read: Callable[[], Moment]) -> Moment | None:
    try:
        return read()
    except NotATime:
        return None


@given(
    st.from_regex(
        r"[0-9]{3}[0-9W]-[0-9W]{2}-[0-9]{2}T[0-9:]{8}[-.,:+0-9 ZzW]{0,14}(Z|\+00:00)",
        fullmatch=True,
    )
    | st.datetimes().map(lambda at: f"{at.isoformat()}Z")
)
def test_the_short_way_goes_where_the_long_way_does(text: str) -> None:
    """What Python reads and we do not must not come in through it."""
    assert either(lambda: parse_moment(text)) == either(lambda: timestamps._any_moment(text, UTC))


def test_the_zone_of_naive_times() -> None:
    berlin = zone_named("Europe/Berlin")
    assert berlin == ZoneInfo("Europe/Berlin")
    assert parse_moment("2026-07-01T12:00:00", berlin) == parse_moment(
        "2026-07-01T10:00:00Z"
    )._replace(naive=True)


@pytest.mark.parametrize("name", ["Nowhere/City", "../../etc/passwd", "", "\0"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidSettings):
        zone_named(name)


@given(st.one_of(st.text(max_size=30), st.floats(), st.integers(), st.none(), st.booleans()))
def test_anything_is_a_moment_or_refused(value: Any) -> None:
    try:
        moment = parse_moment(value)
    except NotATime:
        return
    assert 0 <= moment.ms < 253_402_300_800_000


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "yesterday",
        "2026-13-01",
        "2026-02-30T00:00:00Z",
        "2026-01-01T25:00:00",
        "1969-12-31",
        "٢٠٢٦-01-01",
        -1,
        True,
        None,
        [],
        float("nan"),
        float("inf"),
        10**30,
        [10**5_000],
        "9" * 21,
    ],
)
def test_garbage_is_never_a_guess(garbage: Any) -> None:
    with pytest.raises(NotATime):
        parse_moment(garbage)


@given(MOMENTS_MS, OFFSETS, st.integers(0, 999_999))
def test_every_shape_of_a_moment_is_written_as_one(ms: int, offset: timezone, ns: int) -> None:
    """In UTC, with every digit that was there; and what is written so stays."""
    at = to_datetime(ms)
    second, fraction = at.isoformat()[:19], f"{ms % 1_000:03}{ns:06}"
    local = at.astimezone(offset).isoformat()
    shapes = [
        f"{second}.{fraction}Z",
        f"{second},{fraction}z",
        f"{second}.{fraction} +00:00",
        f"{local[:19]}.{fraction}{local[-6:]}",
        ms * 10**6 + ns,
        str(ms * 10**6 + ns),
        f"{ms // 1_000}.{fraction}",
    ]
    wanted = f"{second}.{fraction.rstrip('0').ljust(6, '0')}+00:00"
    assert {utc_text(shape) for shape in shapes} == {utc_text(wanted)} == {wanted}
    assert parse_moment(wanted) == Moment(ms, naive=False)


@given(MOMENTS_MS)
def test_fewer_digits_are_the_same_moment(ms: int) -> None:
    at = to_datetime(ms)
    javascript = f"{at.isoformat(timespec='milliseconds')[:23]}Z"
    shapes = [javascript, ms, str(ms), ms / 1_000, ms * 1_000, f"{at:%Y-%m-%d %H:%M:%S.%f}Z"]
    assert {utc_text(shape) for shape in shapes} == {f"{javascript[:-1]}000+00:00"}
    whole = at.replace(microsecond=0)
    assert utc_text(f"{whole:%Y-%m-%dT%H:%M:%SZ}") == f"{whole:%Y-%m-%dT%H:%M:%S}.000000+00:00"


@pytest.mark.parametrize(
    "value",
    [
        "2026-09-05T07:10:59.953",
        "2026-09-05",
        "2026-02-30T07:10:59.953Z",
        "2026-09-05T07:10:60.953Z",
        "2026-02-30T07:10:59.953000+00:00",
        "2026-W36-6T07:10:59.953Z",
        "0000-01-01T00:00:00.000Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-09-05T07:10:59.1234567890123Z",
        "tomorrow",
        "",
        "9" * 5_000,
        -1,
        1e308,
        float("nan"),
        True,
        None,
        {"at": 10**5_000},
    ],
)
def test_what_is_no_moment_or_has_no_zone_is_not_written(value: Any) -> None:
    assert utc_text(value) is None


@given(st.one_of(st.text(max_size=30), st.floats(), st.integers(), st.none(), st.booleans()))
def test_what_is_written_once_stays(value: Any) -> None:
    written = utc_text(value)
    assert written is None or utc_text(written) == written


def test_a_number_too_long_to_print_is_no_moment() -> None:
    assert utc_text(10**5_000) is None
    with pytest.raises(NotATime):
        parse_moment(10**5_000)
