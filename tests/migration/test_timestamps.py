"""Every shape of one moment means that moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.clock import to_datetime
from memtend.errors import InvalidSettings
from memtend.model.timestamps import Moment, NotATime, parse_moment, zone_named

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
        "9" * 21,
    ],
)
def test_garbage_is_never_a_guess(garbage: Any) -> None:
    with pytest.raises(NotATime):
        parse_moment(garbage)
