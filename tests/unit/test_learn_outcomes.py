"""Outcomes as a table: what they cost, who is left out, and nothing known before its time."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from memtend.errors import OutcomesUnusable
from memtend.learn.features import Encoder
from memtend.learn.outcomes import OutcomeTable
from memtend.learn.pooling import pooled
from memtend.learn.propensities import estimated_propensities
from memtend.learn.situations import NEVER, History, situations_of
from memtend.limits_learning import STRATEGIES_MAX
from memtend.model.ended import Ended
from memtend.model.learnpolicy import LearnPolicy, Objective
from tests.fixtures.outcomes import outcomes, tried_everywhere

POLICY = LearnPolicy()


def ended(number: int, strategy: str | None = "a", result: str = "success", **more: Any) -> Ended:
    fields = {"at_ms": number * 1_000, "task_type": "code", **more}
    return Ended(outcome_id=f"o{number}", strategy=strategy, result=result, **fields)


def test_an_outcome_costs_what_the_objective_says() -> None:
    rows = [
        ended(0, duration_s=10.0, cost=2.0),
        ended(1, result="failure", duration_s=20.0, cost=4.0),
        ended(2, result="partial_success", duration_s=30.0, cost=6.0),
        ended(3, result="conflict", score=0.2, duration_s=1_000.0),
        ended(4),
    ]
    table = OutcomeTable.of(rows, LearnPolicy(objective=Objective(duration=0.1, price=0.01)))
    assert table.scale == (25.0, 4.0)
    assert table.cost == pytest.approx(
        [0.04 + 0.005, 1 + 0.08 + 0.01, 0.5 + 0.12 + 0.015, 0.8 + 0.5 + 0.01, 0.1 + 0.01]
    )
    fixed = Objective(duration=1, price=0, duration_full_s=100)
    assert OutcomeTable.of(rows[:1], LearnPolicy(objective=fixed)).cost.tolist() == [0.1]


def test_a_task_that_was_given_up_took_longer_than_it_says() -> None:
    rows = [ended(n, duration_s=10.0) for n in range(3)]
    late = [ended(3, result="timeout", duration_s=20.0), ended(4, result="timeout")]
    table = OutcomeTable.of([*rows, *late], POLICY)
    assert table.scale.duration_s == 10.0
    assert table.cost[3:] == pytest.approx([1 + 0.15 * 4, 1 + 0.15 * 2])
    assert any("time-outs" in note for note in table.notes)


def test_who_is_left_out_is_counted() -> None:
    rows = [ended(n, writer="ada" if n % 3 else "mallory") for n in range(30)]
    rows += [ended(30, None), ended(31, writer="ben")]
    table = OutcomeTable.of(rows, LearnPolicy(writers_excluded=("mallory",)), excluding=["ben"])
    assert table.excluded == (("ben", 1), ("mallory", 10))
    assert dict(table.left_out) == {"no strategy is named": 1, "the writer is excluded": 11}
    assert len(table) == 20
    assert len(OutcomeTable.of(rows, LearnPolicy(outcomes_max=7))) == 7
    many = [ended(n, f"s{n % 80:02}") for n in range(400)]
    assert len(OutcomeTable.of(many, POLICY).strategies) == STRATEGIES_MAX
    with pytest.raises(OutcomesUnusable):
        OutcomeTable.of([ended(0, None)], POLICY)


def test_the_order_they_come_in_says_nothing() -> None:
    rows = outcomes(50)
    mixed = random.Random(1).sample(rows, len(rows))
    one, other = OutcomeTable.of(rows, POLICY), OutcomeTable.of([*mixed, *mixed[:9]], POLICY)
    assert one.rows == other.rows


def test_unknown_propensities_are_shares_within_the_type_drawn_to_all() -> None:
    logged = np.array([0] * 90 + [1] * 10 + [1] * 5)
    recorded = np.full(105, np.nan)
    recorded[0] = 0.25
    found = estimated_propensities(["x"] * 100 + ["y"] * 5, logged, 2, recorded)
    assert found.sum(axis=1) == pytest.approx(1)
    assert found[1, 0] == pytest.approx(0.9, abs=0.02)
    assert 0.5 < found[-1, 0] < 0.8  # five tasks against the ninety others
    assert found[0] == pytest.approx([0.25, 0.75])
    assert (found > 0).all()


def test_nothing_is_known_before_it_was_recorded() -> None:
    """Whatever comes later may change, a situation stays what it was."""
    rows = outcomes(120, seed=4)
    before, _ = situations_of(rows[:60])
    twisted = [row._replace(result="failure", duration_s=1.0) for row in rows[60:]]
    after, _ = situations_of([*rows[:60], *twisted])
    assert [one.get("history") for one in after[:60]] == [one.get("history") for one in before]


def test_a_task_does_not_know_what_was_recorded_while_it_ran() -> None:
    first = ended(10, result="success", duration_s=1.0)
    during = ended(12, result="failure", duration_s=10.0)  # began before the first was recorded
    after = ended(14, duration_s=1.0)
    found, _ = situations_of([first, during, after])
    assert "history" not in found[0]
    assert "history" not in found[1]
    assert found[2]["history"] == {"with a": 0.5, "of the task type": 0.5}


def test_history_is_kept_as_json() -> None:
    _, history = situations_of(outcomes(300))
    assert History.of(history.told()).facts("code") == history.facts("code")
    assert history.facts("never seen").keys() == {f"with {s}" for s in history.told()["strategies"]}


def test_the_outcome_itself_is_no_feature() -> None:
    rows = [
        row._replace(context={**row.context, "result": row.result, "score": row.success})
        for row in outcomes(200)
    ]
    encoder = Encoder.fit(situations_of(rows)[0], never=NEVER)
    assert not [name for name in encoder.names if "result" in name or "score" in name]


def test_situations_in_which_all_was_tried_are_pooled() -> None:
    table = OutcomeTable.of(tried_everywhere(45), POLICY)
    situations, _ = situations_of(table.rows)
    encoder = Encoder.fit(situations, never=NEVER)
    feedback = table.feedback(encoder.transform_many(situations), encoder.names)
    whole = pooled(feedback, encoder)
    assert whole is not None
    assert whole.is_full
    assert len(whole) == 45
    assert whole.costs.mean() == pytest.approx(table.cost.mean())
    history = [at for at, name in enumerate(encoder.names) if name.startswith("history")]
    assert np.isnan(whole.X[:, history]).all()


def test_outcomes_that_stand_alone_are_not() -> None:
    table = OutcomeTable.of(outcomes(200), POLICY)
    situations, _ = situations_of(table.rows)
    encoder = Encoder.fit(situations, never=NEVER)
    assert pooled(table.feedback(encoder.transform_many(situations)), encoder) is None
