"""Flat forests answer as scikit-learn does, without it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.ensemble import (
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeRegressor

from memtend.learn.flat import FlatForest
from memtend.learn.state import State, equal, nested, part

RNG = np.random.default_rng(7)


def holed(rows: int) -> Any:
    found = RNG.normal(size=(rows, 9))
    found[RNG.random(found.shape) < 0.15] = np.nan
    return found


X = holed(400)
Y = np.c_[np.nan_to_num(X[:, 0]), np.nan_to_num(X[:, 1]) > 0, RNG.normal(size=400)]
ESTIMATORS = [
    RandomForestRegressor(20, random_state=1).fit(X, Y),
    ExtraTreesRegressor(20, min_samples_leaf=3, random_state=1).fit(X, Y),
    DecisionTreeRegressor(random_state=1).fit(X, Y[:, 2]),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("rows", [0, 1, 3, 700])
def test_the_mean_is_that_of_scikit_learn(estimator: Any, rows: int) -> None:
    asked = holed(rows)
    flat = FlatForest.from_arrays(FlatForest.of(estimator).arrays())
    found = flat.predict(asked)
    wanted = estimator.predict(asked).reshape(rows, -1) if rows else np.empty((0, found.shape[1]))
    assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def test_shares_of_classes_are_those_of_scikit_learn() -> None:
    fitted = RandomForestClassifier(20, random_state=1).fit(X, Y[:, 1])
    asked = holed(300)
    assert_allclose(FlatForest.of(fitted).predict(asked), fitted.predict_proba(asked), atol=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS[:2], ids=lambda one: type(one).__name__)
def test_leaves_are_those_of_scikit_learn(estimator: Any) -> None:
    flat, asked = FlatForest.of(estimator), holed(600)
    assert np.array_equal(flat.leaves(asked) - flat.roots, estimator.apply(asked))


def test_a_number_on_a_threshold_goes_left_as_there() -> None:
    """Thresholds have 64 bits and features 32; rounded up, a threshold would take its neighbour."""
    grid = np.repeat(np.float32(np.arange(200) / 7), 2)[:, None].astype(np.float64)
    fitted = DecisionTreeRegressor(random_state=0).fit(grid, RNG.normal(size=len(grid)))
    near = np.r_[fitted.tree_.threshold, np.nextafter(np.float32(fitted.tree_.threshold), 99)]
    asked = near[:, None].astype(np.float64)
    found = FlatForest.of(fitted).predict(asked)[:, 0]
    assert np.array_equal(found, fitted.predict(asked))


def test_parts_lie_below_their_names() -> None:
    one, other = State({"a": 1}, {"x": np.array([1.0, np.nan])}), State({}, {"x/y": np.arange(3)})
    both = nested({"one": one, "other": other}, {"kind": "pair"})
    assert equal(part(both, "one"), one)
    assert equal(part(both, "other"), other)
    assert not equal(one, other)
    assert both.meta["kind"] == "pair"
    with pytest.raises(KeyError):
        part(both, "third")
