"""Two replicas that prune the same, each for itself, and sync afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.model.record import Labels
from memtend.services import Services
from tests.fixtures.archives import value
from tests.fixtures.pruning import plan_of, pruning, whole
from tests.fixtures.stores import run_sql
from tests.fixtures.syncing import agree

NS = "notes/old"


@pytest.fixture
def pair(tmp_path: Path, clock: ManualClock) -> Iterator[list[Services]]:
    with ExitStack() as stack:
        made = []
        for name in "ab":
            (tmp_path / name).mkdir()
            url = f"sqlite:///{tmp_path}/{name}/s.db"
            made.append(stack.enter_context(pruning(url, tmp_path / name, clock)))
        for key, count in (("a", 1), ("b", 2)):
            made[0].memory.put(NS, key, value(7), labels=Labels(success_count=count))
        made[0].memory.put(NS, "z", value(9), labels=Labels(success_count=5))
        made[0].sync(made[1].store.url)
        yield made
        agree(made)
        assert all(services.verify_store().ok for services in made)


def prune_both(pair: list[Services]) -> list[str]:
    into = {f"{NS}/b": f"{NS}/a"}
    plans = [one.apply_prune(plan_of(one, f"{NS}/z", into=into)).plan for one in pair]
    meet(pair)
    return plans


def meet(pair: list[Services]) -> None:
    """What both made of the same is there once, after both have swept."""
    pair[0].sync(pair[1].store.url)
    for services in pair:
        services.apply_sweep(services.plan_sweep())
    pair[0].sync(pair[1].store.url)


def counts(services: Services) -> dict[str, int | None]:
    rows = run_sql(services.memory, "SELECT key FROM sibling")
    assert len(rows) == len(set(rows)), "siblings"
    return {key: one["labels"]["success_count"] for key, one in whole(services.memory, NS).items()}


def test_what_both_have_merged_has_no_siblings(pair: list[Services]) -> None:
    prune_both(pair)
    assert counts(pair[0]) == counts(pair[1]) == {"a": 3}


@pytest.mark.parametrize("first", [0, 1])
def test_what_both_undo_is_there_and_counted_once(pair: list[Services], first: int) -> None:
    plans = prune_both(pair)
    for at in (first, 1 - first):
        pair[at].undo_prune(plans[at])
    meet(pair)
    assert counts(pair[0]) == counts(pair[1]) == {"a": 1, "b": 2, "z": 5}


def test_one_undoes_it_for_both(pair: list[Services]) -> None:
    plans = prune_both(pair)
    pair[1].undo_prune(plans[1])
    meet(pair)
    assert counts(pair[0]) == counts(pair[1]) == {"a": 1, "b": 2, "z": 5}
    assert pair[0].undo_prune(plans[0]).written == 0


def test_equal_parts_of_a_counter_are_no_twins(pair: list[Services], clock: ManualClock) -> None:
    """Even of one time."""
    clock.advance(1_000)
    for services in pair:
        services.memory.increment("tally/x", "n")
    meet(pair)
    assert [one.memory.get("tally/x", "n") for one in pair] == [2, 2]
