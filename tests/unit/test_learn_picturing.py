"""Figures of pictures against worlds whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from memtend.learn.comparing import Told
from memtend.learn.picturing import (
    Judged,
    drift_line,
    drift_of,
    gap_bars,
    regret_curve,
    reliability,
    successes,
)
from memtend.learn.significance import bridge_tail
from memtend.learn.told import columns
from memtend.limits_learning import DRIFT_CHANCE, PICTURE_POINTS_MAX
from tests.fixtures.ended import recorded
from tests.fixtures.worlds import Kind

N = 4_000
AT = np.arange(N, dtype=np.int64) * 60_000


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_a_model_that_keeps_its_word_lies_on_the_line(rng: np.random.Generator) -> None:
    chance = rng.uniform(0.1, 0.9, N)
    success = (rng.random(N) < chance).astype(float)
    kept = reliability(chance, success)
    boast = reliability(np.minimum(1, chance + 0.3), success)
    assert kept is not None
    assert boast is not None
    assert kept.error < 0.04
    assert boast.error > 0.2
    assert sum(one.count for one in kept.bins) == N
    assert sum(one.observed.low <= one.predicted <= one.observed.high for one in kept.bins) >= 7
    assert reliability(chance[:12], success[:12]) is None


def test_costs_add_up_and_the_band_holds_the_truth(rng: np.random.Generator) -> None:
    """The saving is 0.2 a task; the band of the last point covers it."""
    single = rng.normal(1.0, 0.3, N)
    judged = Judged(AT, single - 0.2 + rng.normal(0, 1.0, N), single, "solo", single - 0.5)
    curve = regret_curve(judged)
    assert curve is not None
    last = curve.points[-1]
    assert len(curve.points) <= PICTURE_POINTS_MAX
    assert last.tasks == N
    assert last.single == pytest.approx(single.sum())
    assert last.learned.low <= single.sum() - 0.2 * N <= last.learned.high
    assert last.oracle == pytest.approx(single.sum() - 0.5 * N)
    place = (np.arange(N) % 3 == 0).astype(np.int64)
    bars = gap_bars(judged, place, ("many", "few"), (True, False))
    assert [(one.name, one.adopted) for one in bars] == [("many", True), ("few", False)]
    assert all(abs(one.gap.value - 0.4) < one.gap.high - one.gap.low for one in bars)
    assert gap_bars(judged._replace(oracle=None), place, ("many", "few"), (True, True)) == ()
    assert gap_bars(judged._replace(oracle=single), place, ("many", "few"), (True, True)) == ()


def test_drift_alarms_where_the_world_turns(rng: np.random.Generator) -> None:
    still = rng.normal(0, 0.4, N)
    turned = still + np.where(np.arange(N) > 2_500, -0.2, 0.0)
    calm, alarm = (drift_line(AT, one, name="success") for one in (still, turned))
    assert calm is not None
    assert alarm is not None
    assert bridge_tail(calm.limit) == pytest.approx(DRIFT_CHANCE, rel=0.01)
    assert max(value for _, value in calm.points) < calm.limit
    at, peak = max(alarm.points, key=lambda one: one[1])
    assert peak > alarm.limit
    assert abs(at - 2_500 * 60_000) < 300 * 60_000
    assert drift_line(AT[:5], still[:5], name="s") is None
    assert drift_line(AT, np.zeros(N), name="s") is None


def test_successes_are_counted_by_period(rng: np.random.Generator) -> None:
    strategy = (np.arange(N) % 4 == 0).astype(np.int64)
    success = (rng.random(N) < np.where(strategy == 1, 0.9, 0.4)).astype(float)
    ones, none = np.ones(N), np.full(N, np.nan)
    code = np.zeros(N, dtype=np.int64)
    told = Told(AT, strategy, success, none, none, ones, code, ("low", "high"), ("t",), True)
    low, high = successes(told)
    assert (low.strategy, high.strategy) == ("low", "high")
    assert sum(count for _, _, count in low.points) == 3 * N // 4
    assert all(share.low <= 0.5 for _, share, _ in low.points)
    assert all(share.high >= 0.8 for _, share, _ in high.points)


@pytest.mark.parametrize(("kind", "alarms"), [("drift", True), ("rich", False)])
def test_of_all_strategies_the_one_that_moved_is_drawn(kind: Kind, alarms: bool) -> None:
    line = drift_of(columns(recorded(kind, 2_000))[0])
    assert line is not None
    assert (max(value for _, value in line.points) > line.limit) is alarms
