"""From outcomes to advice: who is named, how likely, why, and when it is the incumbent."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from memtend.learn.advice import Advice
from memtend.learn.drawn import strategy_pictures
from memtend.learn.explaining import case_of
from memtend.learn.exploring import epsilon_greedy
from memtend.learn.judged import met_by
from memtend.learn.modelfile import ESTIMATORS, pack, unpack_estimators, unpack_served
from memtend.learn.outcomes import OutcomeTable
from memtend.learn.recommender import FittedRecommender, ServedRecommender, fit_recommender
from memtend.learn.state import equal
from memtend.model.ended import Ended
from memtend.model.learned import SERVED
from memtend.model.learnpolicy import LearnPolicy, Objective
from tests.fixtures.outcomes import START_MS, outcomes, tried_everywhere
from tests.fixtures.worlds import STRATEGIES, TASKS, World, as_dicts

OBJECTIVE = Objective(duration_full_s=60, price=0)
POLICY = LearnPolicy(seed=1, objective=OBJECTIVE)
"""What an outcome costs is what the worlds are judged by."""


def fit(rows: list[Ended], policy: LearnPolicy = POLICY) -> FittedRecommender:
    return fit_recommender(OutcomeTable.of(rows, policy), policy)


@pytest.fixture(scope="module")
def followed() -> FittedRecommender:
    return fit(outcomes(500, epsilon=0.6, seed=2))


@pytest.fixture(scope="module")
def tried() -> FittedRecommender:
    return fit(tried_everywhere(120, seed=2))


@pytest.fixture(params=["followed", "tried"])
def fitted(request: pytest.FixtureRequest) -> FittedRecommender:
    found: FittedRecommender = request.getfixturevalue(request.param)
    return found


def closed(served: ServedRecommender, world: World, n: int = 1_000) -> float:
    """Of the gap between one strategy for all and the best for each."""
    X = world.contexts(n, np.random.default_rng(77))
    contexts = as_dicts(X, np.random.default_rng(78))
    tasks = [TASKS[int(row[0])] for row in X]
    many = served.recommend_many(list(zip(tasks, contexts, strict=True)))
    place = np.array([STRATEGIES.index(name) for name in many.strategies])
    return world.gap_closed(X, place[many.strategy])


def test_a_learned_policy_closes_part_of_the_gap(fitted: FittedRecommender) -> None:
    assert fitted.served.adopted
    assert closed(fitted.served, World("rich", 2)) > 0.25


def test_many_at_once_are_as_one_by_one(fitted: FittedRecommender) -> None:
    served, rng = fitted.served, np.random.default_rng(5)
    tasks = [(row.task_type, dict(row.context)) for row in outcomes(40, seed=8)]
    tasks[3] = ("never seen", {})
    draws = rng.random(len(tasks))
    many = served.recommend_many(tasks, draws=draws, at_ms=START_MS)
    for at, (task, context) in enumerate(tasks):
        one = served.recommend(task, context, draw=draws[at], at_ms=START_MS)
        assert one.strategy == many.strategies[many.strategy[at]]
        assert one.propensity == pytest.approx(many.propensity[at])
        assert one.saving == pytest.approx(many.saving[at])
        assert (one.explored, one.learned) == (many.explored[at], many.learned[at])


def test_advice_is_whole(fitted: FittedRecommender) -> None:
    row = outcomes(3, seed=8)[1]
    told = fitted.served.recommend(row.task_type, row.context, at_ms=START_MS)
    assert {told.strategy, *(one.strategy for one in told.alternatives)} == set(STRATEGIES)
    assert told.success is not None
    assert 0 <= told.success.low <= told.success.value <= told.success.high <= 1
    assert told.learned
    assert told.propensity == 1.0
    assert len(told.cases) == 5
    known = {case_of(one.outcome_id) for one in fitted.table.rows}
    assert {one.case for one in told.cases} <= known
    assert told.cases[0].alike >= told.cases[-1].alike
    fields = {field.name for field in fitted.served.encoder.fields}
    assert {one.field for one in told.reasons} <= fields
    plain = fitted.served.recommend(row.task_type, row.context, explain=False)
    assert (plain.reasons, plain.cases) == ((), ())


def test_what_is_drawn_is_as_likely_as_it_says(followed: FittedRecommender) -> None:
    row = outcomes(1, seed=8)[0]
    seen: Counter[str] = Counter()
    told: dict[str, Advice] = {}
    n = 1_000
    for draw in (np.arange(n) + 0.5) / n:
        advice = followed.served.recommend(row.task_type, row.context, draw=draw, explain=False)
        seen[advice.strategy] += 1
        told[advice.strategy] = advice
    assert set(seen) == set(STRATEGIES)
    for name, advice in told.items():
        assert seen[name] / n == pytest.approx(advice.propensity, abs=1 / n)
    best = [name for name, advice in told.items() if not advice.explored]
    assert len(best) == 1
    allowed = np.ones(len(STRATEGIES), dtype=bool)
    place = followed.served.strategies.index(best[0])
    choice = epsilon_greedy(place, allowed, rate=POLICY.explore, draw=0.4)
    assert choice.propensity[choice.strategy] == pytest.approx(told[best[0]].propensity)


def test_a_file_answers_as_what_was_fitted(fitted: FittedRecommender) -> None:
    served = unpack_served(pack(fitted)[SERVED])
    assert equal(served.state(), fitted.served.state())
    row = outcomes(5, seed=8)[4]
    assert served.recommend(row.task_type, row.context) == fitted.served.recommend(
        row.task_type, row.context
    )


def test_what_serves_agrees_with_what_scikit_learn_fitted(fitted: FittedRecommender) -> None:
    files = pack(fitted)
    served, estimators = unpack_served(files[SERVED]), unpack_estimators(files[ESTIMATORS])
    X = served.encoder.transform_many([{"context": row.context} for row in outcomes(50, seed=8)])
    selector: Any = served.selector
    leaves = selector.forest.leaves(X)
    if "forest" in estimators:
        told, expected = estimators["forest"].predict(X), selector.expected(X)
        others = np.arange(len(selector.strategies)) != selector.incumbent
        beside = expected[:, others] - expected[:, [selector.incumbent]]
        assert np.allclose(told[:, others] * selector.spread, beside, atol=1e-9)
        assert np.array_equal(leaves - selector.forest.roots, estimators["forest"].apply(X))
    else:
        trees = [tree for name, tree in sorted(estimators.items()) if name.startswith("tree_")]
        starts = np.cumsum([0, *(tree.tree_.node_count for tree in trees)])
        assert np.array_equal(starts[:-1], selector.forest.roots)
        assert ((leaves >= starts[:-1]) & (leaves < starts[1:])).all()
    assert served.explainer is not None
    near = served.explainer.forest
    assert np.array_equal(near.leaves(X) - near.roots, estimators["cases"].apply(X))


def test_no_picture_shows_more_saved_than_could_be(followed: FittedRecommender) -> None:
    """Also where the later outcomes were lucky ones."""
    later = replace(followed.table, cost=followed.table.cost * 0.8)
    met = met_by(followed.served, later)
    drawn = strategy_pictures(followed, followed.served, followed.table, met)
    assert drawn.regret is not None
    assert drawn.gaps
    assert all((one.oracle or 0) <= one.learned.value for one in drawn.regret.points)
    assert all(one.gap.value <= 1 for one in drawn.gaps)


def test_a_task_type_that_was_never_seen_gets_the_incumbent(followed: FittedRecommender) -> None:
    told = followed.served.recommend("translate", {"bytes": 3})
    assert not told.learned
    assert told.strategy == told.incumbent
    assert told.why.startswith("no task of this type")


def test_few_outcomes_say_so() -> None:
    served = fit(outcomes(60)).served
    told = served.recommend("code", {})
    assert told.why == "60 outcomes are too few, 100 are asked for: the best single strategy"
    assert told.strategy == STRATEGIES[World("rich", 0).incumbent]
    assert not told.learned


def test_outcomes_without_a_choice_or_a_context_say_so() -> None:
    alike = [row._replace(strategy="solo") for row in outcomes(150)]
    assert "only one strategy" in fit(alike).served.why
    bare = [
        row._replace(context={}, task_type="code", at_ms=START_MS, duration_s=0.0)
        for row in outcomes(150)
    ]
    assert "nothing in the contexts" in fit(bare).served.why


def test_a_model_does_not_stand_against_an_incumbent_it_was_not_held_against(
    followed: FittedRecommender,
) -> None:
    own = replace(followed.served, incumbents={"review": followed.served.strategies.index("mesh")})
    told = own.recommend("review", {"bytes": 3})
    assert (told.strategy, told.learned) == ("mesh", False)
    assert "held against" in told.why
    assert own.recommend("code", {"bytes": 3}).learned


def test_a_type_may_have_an_incumbent_of_its_own() -> None:
    policy = LearnPolicy(incumbents={"*": "mesh", "review": "escalate", "test": "unheard of"})
    served = fit(outcomes(80), policy).served
    assert served.recommend("review", {}).strategy == "escalate"
    assert served.recommend("code", {}).strategy == "mesh"
    assert served.recommend("test", {}).strategy == "mesh"


def test_who_says_the_opposite_is_named_and_can_be_excluded() -> None:
    rows, unlearned = outcomes(1_200, "poisoned", seed=2), LearnPolicy(outcomes_min=10_000)
    suspected = fit(rows, unlearned).facts.suspects
    assert [one.writer for one in suspected] == ["mallory"]
    excluding = {**unlearned.model_dump(), "writers_excluded": ("mallory",)}
    without = fit(rows, LearnPolicy(**excluding))
    assert not without.facts.suspects
    assert "mallory" not in dict(without.facts.by_writer)


def test_reasons_name_what_decides() -> None:
    """In big tasks one strategy succeeds, in small ones the other."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(240):
        size, noise = int(rng.integers(100)), float(rng.random())
        strategy = ("fast", "thorough")[number % 2]
        good = (size < 50) == (strategy == "fast")
        rows.append(
            Ended(
                outcome_id=str(number), at_ms=START_MS + number, task_type="code",
                result="success" if rng.random() < (0.9 if good else 0.2) else "failure",
                strategy=strategy, propensity=0.5, context={"size": size, "noise": noise},
            )
        )  # fmt: skip
    served = fit(rows).served
    big = served.recommend("code", {"size": 90, "noise": 0.5})
    small = served.recommend("code", {"size": 5, "noise": 0.5})
    assert (big.strategy, small.strategy) == ("thorough", "fast")
    assert big.reasons[0].field == "context.size"
    assert big.reasons[0].value == "90"
    assert big.success is not None
    assert big.success.value == pytest.approx(0.9, abs=0.2)
