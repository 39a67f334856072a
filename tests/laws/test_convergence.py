"""Replicas agree with the model and with each other, whatever happened (CRDT_SPEC 9.2)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.defects import PLANTED
from tests.laws.defects_sync import PLANTED_IN_SYNC
from tests.laws.history import check
from tests.laws.replica import Rules
from tests.laws.scripts import WEIGHTS, Step, fails, run_all, script

HISTORIES = {3: 6_000, 2: 2_000, 5: 2_000}
FOUND_WITHIN = 5_000

replicas = st.integers(0, 2)
steps = st.tuples(st.sampled_from(tuple(WEIGHTS)), replicas, replicas, st.integers(0, 11))


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=25))
def test_replicas_agree_with_the_model(history: list[Step]) -> None:
    """Nothing is lost, nothing comes back, siblings are exactly the concurrent writes."""
    check(history, Rules())


@pytest.mark.parametrize("replicas", HISTORIES)
def test_ten_thousand_histories(replicas: int, seeds: Callable[[int], range]) -> None:
    """As above, by the number. A failure names its seed and the shortest script that fails."""

    def run(steps: list[Step]) -> None:
        check(steps, Rules(), replicas)

    run_all(seeds(HISTORIES[replicas]), lambda seed: script(seed, replicas), run)


@pytest.mark.parametrize("defect", PLANTED + PLANTED_IN_SYNC, ids=lambda defect: defect.__name__)
def test_planted_defect_is_found(defect: type[Rules]) -> None:
    """The histories bite: they find each wrong rule (CRDT_SPEC 9.3)."""

    def run(steps: list[Step]) -> None:
        check(steps, defect())

    assert any(fails(script(seed), run) for seed in range(FOUND_WITHIN))
