"""Replicas agree with the model and with each other, whatever happened (CRDT_SPEC 9.2)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.defects import PLANTED
from tests.laws.history import WEIGHTS, Step, check, fails, script, shortest
from tests.laws.replica import Rules

HISTORIES = 10_000
FOUND_WITHIN = 5_000

replicas = st.integers(0, 2)
steps = st.tuples(st.sampled_from(tuple(WEIGHTS)), replicas, replicas, st.integers(0, 11))


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=25))
def test_replicas_agree_with_the_model(history: list[Step]) -> None:
    """Nothing is lost, nothing comes back, siblings are exactly the concurrent writes."""
    check(history, Rules())


def test_ten_thousand_histories() -> None:
    """As above, by the number. A failure names its seed and the shortest script that fails."""
    for seed in range(HISTORIES):
        history = script(seed)
        if fails(history, Rules()):
            script_left = shortest(history, Rules())
            print(f"seed {seed}: {script_left}")
            check(script_left, Rules())


@pytest.mark.parametrize("defect", PLANTED, ids=lambda defect: defect.__name__)
def test_planted_defect_is_found(defect: type[Rules]) -> None:
    """The histories bite: they find each wrong rule (CRDT_SPEC 9.3)."""
    assert any(fails(script(seed), defect()) for seed in range(FOUND_WITHIN))
