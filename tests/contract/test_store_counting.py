"""Counters and sets: what many agents change at once (CRDT_SPEC 4.5, 4.6)."""

from __future__ import annotations

import pytest

from memtend.errors import ConditionFailed, KindMismatch
from memtend.memory import Memory
from memtend.model.policy import Policy, Reading
from memtend.model.query import Query
from memtend.model.record import Labels
from tests.fixtures.stores import set_policies

NS = "metrics/tasks"


def test_increments_add_up(memory: Memory) -> None:
    assert [memory.increment(NS, "n", by) for by in (3, -5, 0, 10)] == [3, -2, -2, 8]
    assert memory.get(NS, "n") == 8
    assert memory.get_many(NS, ["n"]) == {"n": 8}
    assert memory.scan(NS) == [("n", 8)]
    record = memory.read(NS, "n")
    assert record is not None
    assert (record.value, record.conflicts) == (8, 0)
    assert memory.stats().records == 1


def test_a_counter_is_found_with_its_value(memory: Memory) -> None:
    memory.increment(NS, "n", 3, labels=Labels(kind="metric", tags=("t",)))
    memory.increment(NS, "n", 4)
    for query in (Query(tag="t"), Query(kind="metric")):
        assert [record.value for record in memory.search(query)] == [7]


def test_a_repeated_increment_counts_once(memory: Memory) -> None:
    assert memory.increment(NS, "n", 5, op_id="op") == 5
    assert memory.increment(NS, "n", 5, op_id="op") == 5
    assert memory.increment(NS, "n", 5, op_id="other") == 10


def test_setting_starts_again(memory: Memory) -> None:
    memory.increment(NS, "n", 5)
    assert memory.set_counter(NS, "n", -7) == -7
    assert memory.set_counter(NS, "n", 2) == 2
    assert memory.increment(NS, "n") == 3
    assert memory.set_counter(NS, "new", 4) == 4


def test_a_counter_is_no_value_and_a_value_no_counter(memory: Memory) -> None:
    memory.increment(NS, "n", 5)
    for call in (
        lambda: memory.put(NS, "n", 1),
        lambda: memory.delete(NS, "n"),
        lambda: memory.update(NS, "n", lambda _: 1),
    ):
        with pytest.raises(KindMismatch):
            call()
    assert memory.get(NS, "n") == 5
    memory.put(NS, "v", 1)
    with pytest.raises(KindMismatch):
        memory.increment(NS, "v")
    with pytest.raises(KindMismatch):
        memory.set_counter(NS, "v", 1)
    assert memory.get(NS, "v") == 1


def test_a_counter_that_always_changes_meanwhile(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.increment(NS, "n")
    monkeypatch.setattr(memory._records.__class__, "opened", lambda *_: [])
    with pytest.raises(ConditionFailed):
        memory.increment(NS, "n")


def test_labels_of_a_counter(memory: Memory) -> None:
    memory.increment(NS, "n", labels=Labels(kind="metric", agent="a"))
    memory.increment(NS, "n")
    record = memory.read(NS, "n")
    assert record is not None
    assert (record.labels.kind, record.labels.agent) == ("metric", "a")


def test_elements_of_a_set(memory: Memory) -> None:
    for element in ("b", 1, {"x": [1]}, None, "b", "a"):
        memory.add(NS, "s", element)
    assert memory.members(NS, "s") == ["a", "b", 1, None, {"x": [1]}]
    assert memory.remove(NS, "s", "b") is True
    assert memory.remove(NS, "s", "b") is False
    assert memory.members(NS, "s") == ["a", 1, None, {"x": [1]}]
    assert memory.members(NS, "other") == []
    assert memory.stats().records == 4


def test_a_set_is_read_where_the_policy_says_so(memory: Memory) -> None:
    set_policies(memory, Policy(pattern="metrics/*", reading=Reading.SET))
    assert memory.get(NS, "s", "none") == "none"
    memory.add(NS, "s", 2)
    memory.add(NS, "s", 1)
    assert memory.get(NS, "s") == [1, 2]
    memory.remove(NS, "s", 1)
    memory.remove(NS, "s", 2)
    assert memory.get(NS, "s", "none") == "none"


def test_a_set_and_a_value_may_share_a_key(memory: Memory) -> None:
    memory.put(NS, "k", "value")
    memory.add(NS, "k", "element")
    assert memory.get(NS, "k") == "value"
    assert memory.members(NS, "k") == ["element"]
    memory.delete(NS, "k")
    assert memory.members(NS, "k") == ["element"]
