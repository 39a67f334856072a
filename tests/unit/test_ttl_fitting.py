"""Fits of TTLs to worlds whose truth is known: what is adopted, what is not, what is served."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from memtend.errors import AccessesUnusable
from memtend.learn.state import equal
from memtend.learn.ttl.accesses import Accesses
from memtend.learn.ttl.fitted import FittedTtl
from memtend.learn.ttl.fitting import fit_ttl
from memtend.learn.ttl.objective import costs
from memtend.learn.ttl.policy import TtlPolicy
from tests.fixtures.accesses import HOUR_S, NAMES, log_of

BREAK_EVEN_S = 3 * HOUR_S


@pytest.fixture(scope="module")
def log() -> Accesses:
    return log_of()


@pytest.fixture(scope="module")
def fitted(log: Accesses) -> FittedTtl:
    return fit_ttl(log, break_even_s=BREAK_EVEN_S, seed=1, incumbent_s=math.inf)


def test_what_comes_back_soon_is_kept_and_what_never_does_is_not(fitted: FittedTtl) -> None:
    rows = {row.name: row for row in fitted.table()}
    assert fitted.report.adopted == "access"
    assert all(row.adopted for row in rows.values())
    assert rows["once"].ttl_s < 60 < 0.2 * HOUR_S < rows["steady"].ttl_s
    assert all(row.low_s <= row.ttl_s <= row.high_s for row in rows.values())
    assert all(0 < row.saving_low <= row.saving <= row.saving_high for row in rows.values())


def test_the_policy_costs_less_than_the_table_than_what_was_in_force(log: Accesses) -> None:
    half = len(log) // 2
    past = Accesses.of(log.t[:half], log.key[:half], log.ns[:half], log.size[:half], NAMES)
    fitted = fit_ttl(past, break_even_s=BREAK_EVEN_S, seed=1, incumbent_s=24 * HOUR_S)
    later = log.gaps.since(float(log.t[half]))
    ttl = fitted.policy.ttl(later.X, later.cls, later.size)
    came = costs(later, ttl, fitted.price).mean()
    assert came < costs(later, 24 * HOUR_S, fitted.price).mean()
    assert fitted.estimate.cost_low <= came <= fitted.estimate.cost_high
    assert came > fitted.estimate.clairvoyant * 0.9


def test_the_served_form_is_json_and_arrays_and_answers_the_same(
    log: Accesses, fitted: FittedTtl
) -> None:
    state = fitted.policy.state()
    json.dumps(state.meta, allow_nan=False)
    again = TtlPolicy.of(state)
    own = log.gaps
    told = fitted.policy.ttl(own.X, own.cls, own.size)
    assert np.array_equal(again.ttl(own.X, own.cls, own.size), told)
    one = again.ttl(own.X[7:8], own.cls[7:8], own.size[7:8])
    assert one[0] == told[7]
    assert equal(again.state(), state)


def test_equal_arguments_give_an_equal_fit(log: Accesses, fitted: FittedTtl) -> None:
    again = fit_ttl(log, break_even_s=BREAK_EVEN_S, seed=1, incumbent_s=math.inf)
    assert equal(again.policy.state(), fitted.policy.state())
    assert again.table() == fitted.table()
    assert again.estimate == fitted.estimate


def test_other_names_of_namespaces_change_nothing_else(log: Accesses, fitted: FittedTtl) -> None:
    renamed = tuple(f"the {name}" for name in NAMES)
    other = fit_ttl(
        Accesses.of(log.t, log.key, log.ns, log.size, renamed),
        break_even_s=BREAK_EVEN_S, seed=1, incumbent_s=math.inf,
    )  # fmt: skip
    assert [row._replace(name=row.name[4:]) for row in other.table()] == list(fitted.table())


def test_bounds_hold_in_every_form(log: Accesses) -> None:
    fitted = fit_ttl(
        log, break_even_s=BREAK_EVEN_S, seed=1, incumbent_s=600.0, floor_s=300.0, ceiling_s=900.0
    )
    own = log.gaps
    ttl = fitted.policy.ttl(own.X, own.cls, own.size)
    assert 300 <= ttl.min() <= ttl.max() <= 900
    for row in fitted.table():
        assert 300 <= row.low_s <= row.high_s <= 900
        assert 300 <= row.ttl_s <= 900
        assert all(300 <= seconds <= 900 for _, seconds in row.bands)


def test_where_nothing_can_be_saved_the_incumbent_stays() -> None:
    """Entries are used again by a clock that no TTL beats: what is in force is the best already."""
    n = 2_000
    t = np.arange(n) * 10.0
    log = Accesses.of(t, np.arange(n) % 20, np.zeros(n, int), np.ones(n), ("clock",))
    fitted = fit_ttl(log, break_even_s=1_000.0, seed=1, incumbent_s=200.0)
    assert fitted.report.adopted == "incumbent"
    row = fitted.table()[0]
    assert (row.adopted, row.ttl_s) == (False, 200.0)
    own = log.gaps
    assert set(fitted.policy.ttl(own.X, own.cls, own.size).tolist()) == {200.0}
    assert "does not stand" in " ".join(fitted.report.reasons)


def test_reuse_that_has_ended_is_told_as_drift() -> None:
    log = log_of(changes_at=0.7)
    fitted = fit_ttl(log, break_even_s=BREAK_EVEN_S, seed=1, incumbent_s=math.inf)
    assert fitted.report.drifted == ("steady",)
    evidence = next(row.evidence for row in fitted.table() if row.name == "steady")
    assert "not as before" in evidence


def test_curves_and_frontier_are_for_pictures(fitted: FittedTtl) -> None:
    for curve, row in zip(fitted.curves(), fitted.table(), strict=True):
        assert (curve.name, curve.ttl_s, curve.accesses) == (row.name, row.ttl_s, row.accesses)
        assert np.all(np.diff(curve.survival) <= 1e-12)
        assert np.all((curve.low <= curve.survival) & (curve.survival <= curve.high))
    asked = {p.policy: p for p in fitted.frontier() if p.break_even_s == BREAK_EVEN_S}
    assert asked["incumbent"].misses == 0.0
    assert asked["clairvoyant"].byte_s < asked["access"].byte_s < asked["incumbent"].byte_s


@pytest.mark.parametrize("n", [1, 2, 30])
def test_of_few_accesses_nothing_in_force_is_changed(n: int) -> None:
    fitted = fit_ttl(log_of(n), break_even_s=60.0, seed=1, incumbent_s=HOUR_S)
    assert fitted.report.adopted == "incumbent"
    assert {row.ttl_s for row in fitted.table()} == {HOUR_S}


def test_of_no_accesses_nothing_is_learned() -> None:
    with pytest.raises(AccessesUnusable, match="none"):
        fit_ttl(Accesses.of([], [], [], [], NAMES), break_even_s=60.0, seed=1)
