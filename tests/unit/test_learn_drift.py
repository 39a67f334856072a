"""A world that has moved is noticed, one that stands still gives no alarm."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from memtend.clock import to_datetime
from memtend.learn.drift import drift
from tests.fixtures.ended import BEGAN_MS, STEP_MS, recorded
from tests.fixtures.worlds import DRIFTS_AT

RUNS = 20


def test_what_came_of_a_strategy_has_changed_and_when() -> None:
    rows = recorded("drift", 2_000, seed=7)
    found = drift(rows[:1_000], rows[1_000:])
    assert found.found
    turned = found.results[0]
    assert turned.amount < 0
    assert turned.fact.endswith(f"since {turned.since:%Y-%m-%d}")
    truly = to_datetime(BEGAN_MS + round(DRIFTS_AT * 2_000 * STEP_MS))
    assert turned.since is not None
    assert abs(turned.since - truly) < timedelta(days=1)


def test_most_worlds_that_move_are_noticed() -> None:
    runs = [recorded("drift", 2_000, seed) for seed in range(12)]
    assert sum(drift(rows[:1_000], rows[1_000:]).found for rows in runs) >= 8


def test_a_world_that_stands_still_gives_no_alarm() -> None:
    for kind in ("rich", "null"):
        runs = [recorded(kind, 600, seed) for seed in range(RUNS)]
        assert sum(drift(rows[:300], rows[300:]).found for rows in runs) <= RUNS * 0.05


def test_other_contexts_are_told_by_feature() -> None:
    rows = recorded("rich", 600)
    moved = [
        one._replace(context={**one.context, "queue": 40, "skills": ["search"]})
        for one in rows[300:]
    ]
    found = drift(rows[:300], moved)
    told = {one.what: one for one in found.contexts}
    assert {"queue", "skills has search"} <= told.keys()
    assert told["queue"].amount > 0.9
    assert "queue differs in " in found.fact


def test_a_new_sort_of_task_is_told() -> None:
    rows = recorded("rich", 600)
    moved = [one._replace(task_type="migrate") if row % 2 else one for row, one in enumerate(rows)]
    found = drift(rows[:300], moved[300:])
    assert "task_type" in {one.what for one in found.contexts}


def test_what_a_model_expects_is_what_is_held_against() -> None:
    """Where the model knows why success fell, nothing has changed."""
    rows = [
        one._replace(result="success" if row < 400 else "failure", strategy="solo")
        for row, one in enumerate(recorded("rich", 800))
    ]
    known = np.array([1.0 if row < 400 else 0.0 for row in range(800)])
    assert drift(rows[:400], rows[400:]).results
    assert not drift(rows[:400], rows[400:], known).results


def test_too_few_outcomes_say_so() -> None:
    rows = recorded("drift", 400)
    found = drift(rows[:380], rows[380:])
    assert not found.found
    assert "too few" in found.fact
