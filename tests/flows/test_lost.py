"""Which runs are dead, and which begin again: decided from what was seen alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.limits_flows import AGAIN_AFTER_S, AGAIN_BACK_S, AGAIN_MAX, BEGIN_S, SILENT_S
from memtend_tasks.lost import Seen, again, lost

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEPLOYMENT = UUID(int=7)


def run(number: int = 1, state: str = "RUNNING", ago_s: float = 0, **more: Any) -> Seen:
    since = NOON - timedelta(seconds=ago_s)
    seen = Seen(
        UUID(int=number), "sweep", DEPLOYMENT, {"dry_run": False}, state, state.title(), since,
        since, 1,
    )  # fmt: skip
    return seen._replace(**more)


def crashed(number: int = 1, ago_s: float = AGAIN_AFTER_S, **more: Any) -> Seen:
    return run(number, "CRASHED", ago_s, **more)


@pytest.mark.parametrize("state", ["RUNNING", "CANCELLING", "PAUSED"])
def test_a_run_that_is_silent_for_too_long_is_lost(state: str) -> None:
    assert lost(run(state=state, ago_s=SILENT_S + 1), NOON)
    assert not lost(run(state=state, ago_s=SILENT_S - 1), NOON)


def test_a_sign_of_life_keeps_it() -> None:
    heard = NOON - timedelta(seconds=SILENT_S - 1)
    assert not lost(run(ago_s=9_999, heard=heard), NOON)


def test_what_waits_without_a_process_is_not_lost() -> None:
    assert not lost(run(state="PAUSED", ago_s=9_999, state_name="Suspended"), NOON)
    assert not lost(run(state="SCHEDULED", ago_s=9_999), NOON)


def test_what_never_began_has_longer() -> None:
    assert not lost(run(state="PENDING", ago_s=SILENT_S + 1), NOON)
    assert lost(run(state="PENDING", ago_s=BEGIN_S + 1), NOON)


def test_what_was_cut_off_begins_again() -> None:
    assert list(again([crashed()], NOON)) == [crashed()]


@pytest.mark.parametrize(
    "left",
    [
        crashed(ago_s=AGAIN_AFTER_S - 1),
        crashed(ago_s=AGAIN_BACK_S + 1),
        crashed(began=AGAIN_MAX + 1),
        crashed(deployment=None),
        crashed(heard=NOON),
        run(state="FAILED", ago_s=AGAIN_AFTER_S),
        run(state="CANCELLED", ago_s=AGAIN_AFTER_S),
    ],
    ids=["soon", "long ago", "too often", "within another", "heard", "failed", "cancelled"],
)
def test_this_stays_as_it_is(left: Seen) -> None:
    assert list(again([left], NOON)) == []


def test_a_younger_run_of_the_same_takes_its_place() -> None:
    """Whatever became of that. A run that is only planned does not, nor one of something else."""
    old, new = crashed(ago_s=900), run(2, "FAILED", ago_s=60)
    assert list(again([old, new], NOON)) == []
    assert list(again([old, new._replace(state="SCHEDULED")], NOON)) == [old]
    assert list(again([old, new._replace(parameters={"dry_run": True})], NOON)) == [old]
    assert list(again([old, new._replace(deployment=UUID(int=8))], NOON)) == [old]


STATES = ("CRASHED", "RUNNING", "COMPLETED", "SCHEDULED", "FAILED")


@given(st.lists(st.tuples(st.sampled_from(STATES), st.integers(0, 90_000)), max_size=8))
def test_of_what_does_the_same_at_most_one_begins_again(rows: list[tuple[str, int]]) -> None:
    """The youngest, so that no effect is owed twice."""
    runs = [run(number, state, ago_s) for number, (state, ago_s) in enumerate(rows)]
    chosen = list(again(runs, NOON))
    assert len({one.due for one in chosen}) <= 1
    assert all(one.state == "CRASHED" for one in chosen)
