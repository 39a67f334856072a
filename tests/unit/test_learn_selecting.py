"""Selecting where all costs are known: what is chosen, what is refused, what changes nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from memtend.errors import CostsUnusable
from memtend.learn.feedback import Feedback, Floats
from memtend.learn.selecting import ContrastSelector, FittedSelector, fit_selector
from memtend.learn.selecting.growing import counts
from memtend.learn.single import SingleStrategy
from memtend.learn.state import equal
from tests.fixtures.worlds import World

WORLD = World("rich", 1)
NULL = World("null", 1)


def table(world: World, rows: int, seed: int = 0) -> Feedback:
    """What every strategy would have cost in each of these contexts, with noise."""
    rng = np.random.default_rng([seed, rows])
    X = world.contexts(rows, rng)
    truth = world.truth(X)
    failed = rng.random(truth.success.shape) > truth.success
    return Feedback(
        X=X,
        costs=np.round((failed + truth.cost - (1 - truth.success)) * 1024) / 1024,
        strategies=world.strategies,
        feature_names=world.columns,
    )


FEW = settings(max_examples=2, deadline=None, phases=[Phase.generate])  # each is a fit
GIVEN = table(WORLD, 200)


@cache
def fitted() -> FittedSelector:
    return fit_selector(GIVEN, seed=3)


def asked(rows: int = 300) -> Floats:
    return WORLD.contexts(rows, np.random.default_rng(99))


def test_it_chooses_better_than_the_single_best_and_says_how_it_knows() -> None:
    found = fitted()
    assert WORLD.gap_closed(asked(2_000), found.selector.choose(asked(2_000))) > 0.25
    report = found.report
    assert report.adopted
    assert report.chosen in {one.name for one in report.candidates}
    assert (report.rows, report.incumbent) == (200, WORLD.strategies[found.selector.incumbent])
    for one in report.candidates:
        assert one.gain_low < one.gain < one.gain_high
        assert one.closed_low < one.closed < one.closed_high
        assert 0 < one.deviates < 1


def test_the_served_trees_are_those_of_scikit_learn() -> None:
    found = fitted()
    selector = found.selector
    assert isinstance(selector, ContrastSelector)
    assert found.grown is not None
    X = asked()[:, found.columns]
    counted, numbers = found.grown.gaps.counted(X), X.astype(np.float32)
    ends = np.column_stack(
        [
            tree.apply(counted if counts(at) else numbers)
            for at, tree in enumerate(found.estimators().values())
        ]
    )
    assert np.array_equal(selector.forest.leaves(asked()) - selector.forest.roots, ends)
    leaves = selector.table[selector.places[ends + selector.forest.roots]]
    wanted = leaves.mean(axis=1, dtype=np.float64) ** selector.power * selector.unit
    assert_allclose(selector.expected(asked()), wanted, rtol=1e-5)
    assert np.array_equal(selector.choose(asked()), selector.expected(asked()).argmin(axis=1))


def test_one_context_has_the_same_answer_as_in_a_batch() -> None:
    selector = fitted().selector
    one_by_one = np.vstack([selector.expected(row[None]) for row in asked(90)])
    assert np.array_equal(selector.expected(asked(90)), one_by_one)


def test_what_is_kept_of_it_chooses_as_it_does() -> None:
    selector = fitted().selector
    assert isinstance(selector, ContrastSelector)
    again = ContrastSelector.of(selector.state())
    assert equal(again.state(), selector.state())
    assert np.array_equal(again.expected(asked()), selector.expected(asked()))


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not() -> None:
    state = fitted().selector.state()
    assert equal(fit_selector(GIVEN, seed=3).selector.state(), state)
    assert not equal(fit_selector(GIVEN, seed=4).selector.state(), state)


@FEW
@given(order=st.permutations(range(len(WORLD.strategies))))
def test_the_order_of_the_strategies_changes_nothing(order: list[int]) -> None:
    names = tuple(WORLD.strategies[at] for at in order)
    other = fit_selector(replace(GIVEN, costs=GIVEN.costs[:, order], strategies=names), seed=3)
    wanted = [WORLD.strategies[at] for at in fitted().selector.choose(asked())]
    assert [names[at] for at in other.selector.choose(asked())] == wanted


@FEW
@given(power=st.integers(-12, 12), more=st.integers(-50, 50))
def test_neither_the_unit_of_costs_nor_what_a_whole_row_costs_more_changes_a_choice(
    power: int, more: int
) -> None:
    other = fit_selector(replace(GIVEN, costs=(GIVEN.costs + more) * 2.0**power), seed=3)
    assert np.array_equal(other.selector.choose(asked()), fitted().selector.choose(asked()))


def test_columns_that_tell_nothing_are_left_out_and_named() -> None:
    rows = len(GIVEN)
    useless = np.column_stack([np.full(rows, 7.0), np.arange(rows) * 3.0, np.full(rows, np.nan)])
    names = (*WORLD.columns, "constant", "number", "empty")
    more = replace(GIVEN, X=np.hstack([GIVEN.X, useless]), feature_names=names)
    found = fit_selector(more, seed=3)
    assert found.report.dropped == (
        "constant: the same everywhere", "number: counts the rows", "empty: never known",
    )  # fmt: skip
    wider = np.hstack([asked(), np.zeros((300, 3))])
    assert np.array_equal(found.selector.choose(wider), fitted().selector.choose(asked()))


def test_not_being_known_is_a_value() -> None:
    rng = np.random.default_rng(5)
    X = np.where(rng.random((200, 1)) < 0.5, np.nan, 1.0)
    costs = np.column_stack([np.isnan(X[:, 0]), ~np.isnan(X[:, 0])]).astype(np.float64)
    found = fit_selector(Feedback(X=X, costs=costs, strategies=("a", "b")), seed=1)
    assert found.selector.choose(np.array([[np.nan], [1.0]])).tolist() == [1, 0]


@pytest.mark.parametrize("seed", range(4))
def test_without_a_signal_the_single_best_stays(seed: int) -> None:
    found = fit_selector(table(NULL, 150, seed), seed=seed)
    assert isinstance(found.selector, SingleStrategy)
    assert "the single best strategy stays" in found.report.why
    assert (found.report.adopted, found.report.chosen) == (False, None)
    assert found.estimators() == {}
    assert set(found.selector.choose(asked())) == {NULL.incumbent}


def test_what_held_earlier_must_hold_later() -> None:
    """The best strategy follows a column for most of the time, and its opposite at the end."""
    rng = np.random.default_rng(2)
    sign = rng.choice([-1.0, 1.0], 400)
    turned = np.where(np.arange(400) < 260, sign, -sign)
    costs = np.column_stack([turned, -turned]) + rng.normal(0, 0.2, (400, 2))
    feedback = Feedback(X=sign[:, None], costs=costs, strategies=("a", "b"), at=np.arange(400.0))
    assert fit_selector(replace(feedback, at=None), seed=0).report.adopted
    report = fit_selector(feedback, seed=0).report
    assert not report.adopted
    assert "on the later ones" in report.why
    assert report.candidates[-1].gain < 0


def test_few_rows_and_few_that_matter_are_said_so() -> None:
    few = fit_selector(GIVEN.rows(np.arange(39)), seed=0).report
    assert "39 rows are too few" in few.why
    alike = np.where(np.arange(len(GIVEN)) < 19, 1.0, 0.0)[:, None] * GIVEN.costs
    assert "only in " in fit_selector(replace(GIVEN, costs=alike), seed=0).report.why
    same = replace(GIVEN, X=np.ones_like(GIVEN.X))
    assert "nothing in the contexts differs" in fit_selector(same, seed=0).report.why
    one = replace(GIVEN, costs=GIVEN.costs[:, :1], strategies=("alone",))
    assert "only one strategy" in fit_selector(one, seed=0).report.why


def test_a_named_incumbent_is_what_stays() -> None:
    few = replace(GIVEN.rows(np.arange(30)), incumbent=4)
    assert fit_selector(few, seed=0).selector.choose(asked(2)).tolist() == [4, 4]


def test_costs_must_all_be_known() -> None:
    holed = GIVEN.costs.copy()
    holed[3, 2] = np.nan
    with pytest.raises(CostsUnusable, match="some cost is not known"):
        fit_selector(replace(GIVEN, costs=holed), seed=0)
    with pytest.raises(CostsUnusable, match="not one cost for each"):
        fit_selector(replace(GIVEN, strategies=("a", "b")), seed=0)
    with pytest.raises(CostsUnusable, match="no context"):
        fit_selector(GIVEN.rows(np.arange(0)), seed=0)
