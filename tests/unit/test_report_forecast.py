"""Laws of the forecast: what it says of lines it knows, and what may not bend it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.limits_upkeep import FORECAST_POINTS_MIN, FORECAST_SPAN_MS_MIN
from memtend.report.facts import Point
from memtend.report.forecast import DAY_MS, Forecast, forecast, thinned

T0 = 1_750_000_000_000


def daily(*values: float) -> list[Point]:
    return [Point(T0 + n * DAY_MS, value) for n, value in enumerate(values)]


def made(points: list[Point]) -> Forecast:
    found = forecast(points)
    assert found is not None
    return found


histories = st.lists(
    st.floats(min_value=1e3, max_value=1e9), min_size=FORECAST_POINTS_MIN, max_size=25
).map(lambda values: daily(*values))


@given(
    st.integers(min_value=0, max_value=10**9),
    st.integers(min_value=-(10**6), max_value=10**6),
    st.integers(min_value=FORECAST_POINTS_MIN, max_value=30),
)
def test_a_straight_line_goes_on(start: int, rate: int, days: int) -> None:
    found = made(daily(*(start + rate * n for n in range(days))))
    assert found.rate_a_day == pytest.approx(rate, abs=1e-3)
    ahead = found.at(found.last_ms + 3 * DAY_MS)
    assert ahead.middle == pytest.approx(max(0, start + rate * (days + 2)), rel=1e-6, abs=1)
    assert ahead.high - ahead.low == pytest.approx(0, abs=1)


@given(histories, st.integers(min_value=0, max_value=60))
def test_the_band_holds_the_middle_and_never_narrows(points: list[Point], days: int) -> None:
    found = made(points)
    near, far = (found.at(found.last_ms + n * DAY_MS) for n in (days, days + 1))
    assert 0 <= near.low <= near.middle <= near.high
    assert found.off >= 0
    assert found.off_a_day >= 0
    if far.low > 0:
        assert far.high - far.low >= (near.high - near.low) * (1 - 1e-9)


@given(st.integers(min_value=2, max_value=17), st.floats(min_value=0, max_value=1e9))
def test_one_odd_day_does_not_bend_it(day: int, value: float) -> None:
    values = [100.0 + 10 * n for n in range(20)]
    values[day] = value
    assert made(daily(*values)).rate_a_day == pytest.approx(10, rel=0.1)


@given(histories, st.floats(min_value=1, max_value=1e10))
def test_a_bound_is_reached_where_the_line_is_at_it(points: list[Point], bound: float) -> None:
    found = made(points)
    first, middle, last = found.reaches(bound)
    if middle is not None and middle > found.last_ms:
        assert found.at(middle).middle == pytest.approx(bound, rel=1e-3, abs=1)
    known = [ms for ms in (first, middle, last) if ms is not None]
    assert known == sorted(known)
    assert all(found.last_ms <= ms <= found.until_ms for ms in known)
    if middle is not None:
        assert first is not None


def test_a_history_that_is_too_short_says_nothing() -> None:
    assert forecast([]) is None
    assert forecast(daily(*range(FORECAST_POINTS_MIN - 1))) is None
    step = FORECAST_SPAN_MS_MIN // FORECAST_POINTS_MIN
    exactly = [Point(T0 + n * step, n) for n in range(FORECAST_POINTS_MIN + 1)]
    assert forecast(exactly) is not None
    early = [*exactly[:-1], Point(exactly[-1].at_ms - 1, 6.0)]
    assert forecast(early) is None


def test_it_looks_ahead_no_farther_than_back() -> None:
    found = made(daily(*range(10)))
    assert found.until_ms - found.last_ms == 9 * DAY_MS
    assert found.reaches(10**6).middle_ms is None


def test_noise_opens_the_band_as_wide_as_forecasts_were_off() -> None:
    calm = made(daily(*(100 + 10 * n for n in range(30))))
    noisy = made(daily(*(100 + 10 * n + 40 * (n % 3 - 1) for n in range(30))))
    at = calm.last_ms + 5 * DAY_MS
    assert noisy.at(at).high - noisy.at(at).low > calm.at(at).high - calm.at(at).low + 20


@given(st.lists(st.integers(), max_size=300), st.integers(min_value=2, max_value=50))
def test_thinning_keeps_the_ends(values: list[int], limit: int) -> None:
    points = daily(*values)
    kept = thinned(points, limit)
    assert len(kept) == min(len(points), limit)
    assert kept[:1] == points[:1]
    assert kept[-1:] == points[-1:]
    assert kept == sorted(set(kept), key=lambda one: one.at_ms)
