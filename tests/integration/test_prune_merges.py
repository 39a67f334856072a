"""Records that took others over, and were taken themselves before that was undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.model.record import Labels
from memtend.services import Services
from tests.fixtures.archives import value
from tests.fixtures.pruning import plan_of, pruning, whole

NS = "notes/old"


@pytest.fixture
def services(tmp_path: Path, clock: ManualClock) -> Iterator[Services]:
    with pruning("sqlite://", tmp_path, clock) as opened:
        yield opened
        assert opened.verify_store().ok


@pytest.mark.parametrize("onward", [False, True], ids=["deleted", "merged"])
def test_what_stands_for_others_comes_back_first(services: Services, onward: bool) -> None:
    """The record that took another over was taken itself: its entry still counts for both."""
    memory = services.memory
    for key, count in (("a", 1), ("b", 2)):
        memory.put(NS, key, value(7), labels=Labels(success_count=count))
    first = services.apply_prune(plan_of(services, into={f"{NS}/b": f"{NS}/a"}))
    memory.put(NS, "c", value(7), labels=Labels(success_count=4))
    plan = (
        plan_of(services, into={f"{NS}/a": f"{NS}/c"}) if onward else plan_of(services, f"{NS}/a")
    )
    second = services.apply_prune(plan)
    waits = services.undo_prune(first.plan)
    assert (waits.written, waits.unchanged, len(waits.notes)) == (0, 1, 1)
    assert not any(one.undone_at for one in services.prunings())
    for one in (second, first):
        assert services.undo_prune(one.plan).written == 1
    found = {key: one["labels"]["success_count"] for key, one in whole(memory, NS).items()}
    assert found == {"a": 1, "b": 2, "c": 4}
