"""What a model is drawn by: judged on what came after, in worlds whose truth is known."""

from __future__ import annotations

import pytest

from memtend.learn.held_out import strategy_pictures
from memtend.learn.outcomes import OutcomeTable
from memtend.learn.picturing import drift_of
from memtend.learn.recommender import fit_recommender
from memtend.learn.told import columns
from memtend.model.learnpolicy import LearnPolicy
from memtend.model.pictures import StrategyPictures
from tests.fixtures.ended import recorded
from tests.fixtures.worlds import STRATEGIES, Kind

POLICY = LearnPolicy(seed=1)
ROWS = 700


def drawn(kind: Kind, rows: int = ROWS) -> StrategyPictures:
    table = OutcomeTable.of(recorded(kind, rows), POLICY)
    return strategy_pictures(fit_recommender(table, POLICY), POLICY)


def test_the_later_outcomes_judge_the_model() -> None:
    found = drawn("rich")
    assert found.regret is not None
    last = found.regret.points[-1]
    assert last.tasks == round(0.3 * ROWS)
    assert found.regret.single in STRATEGIES
    assert last.learned.low <= last.learned.value <= last.learned.high
    assert {one.strategy for one in found.successes} <= set(STRATEGIES)
    assert StrategyPictures.model_validate(found.model_dump(mode="json")) == found


def test_without_signal_nothing_is_claimed() -> None:
    """Following the model costs what the best single strategy does, or is not surely less."""
    found = drawn("null")
    assert found.regret is not None
    last = found.regret.points[-1]
    assert last.learned.high >= last.single
    assert all(one.gap.low <= 0 for one in found.gaps if one.adopted)


def test_too_few_outcomes_draw_only_what_was_seen() -> None:
    found = drawn("rich", POLICY.outcomes_min)
    assert found.regret is None
    assert found.reliability is None
    assert found.gaps == ()
    assert found.successes


@pytest.mark.parametrize(("kind", "alarms"), [("drift", True), ("rich", False)])
def test_a_world_that_turns_is_seen(kind: Kind, alarms: bool) -> None:
    line = drift_of(columns(recorded(kind, 2_000))[0])
    assert line is not None
    assert (max(value for _, value in line.points) > line.limit) is alarms
