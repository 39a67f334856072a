"""Stores of one server begin apart, and within a store everything keeps its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prefect._vendor.croniter.croniter import croniter

from memtend.limits_flows import SPREAD_MINUTES
from memtend_flows.schedules import SERVED
from memtend_flows.spread import later, minutes_of

CRONS = sorted({when.cron for served in SERVED for when in served.when})
FIRST = datetime(2026, 2, 27, tzinfo=UTC)
"""A Friday; two days later a month begins, with a Sunday: every schedule comes in four days."""


@settings(max_examples=30)
@given(st.sampled_from(CRONS), st.integers(0, SPREAD_MINUTES - 1))
def test_every_run_is_so_many_minutes_later(cron: str, minutes: int) -> None:
    """None is lost, none comes twice, and none moves to another day."""
    moved = timedelta(minutes=minutes)
    assert runs(later(cron, minutes), FIRST + moved) == [at + moved for at in runs(cron, FIRST)]


def test_no_minutes_leave_a_schedule_as_it_was_written() -> None:
    assert [later(cron, 0) for cron in CRONS] == CRONS


def test_a_schedule_that_would_leave_its_hour_is_not_moved() -> None:
    with pytest.raises(ValueError, match="leaves the hour"):
        later("50 4 * * *", 10)


def test_stores_are_spread() -> None:
    """A hundred names take every minute, and each name always the same one."""
    names = [f"team-{number}" for number in range(100)]
    minutes = [minutes_of(name) for name in names]
    assert set(minutes) == set(range(SPREAD_MINUTES))
    assert minutes == [minutes_of(name) for name in names]


def runs(cron: str, start: datetime) -> list[datetime]:
    """Those of four days. A run at the very start counts."""
    before = start - timedelta(seconds=1)
    ticks: Any = croniter(cron, before, ret_type=datetime)  # type: ignore[no-untyped-call]
    found = []
    while (at := ticks.get_next()) < start + timedelta(days=4):
        found.append(at)
    return found
