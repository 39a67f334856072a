"""Kinds of keys: maps, what a policy lets be written, what another replica brings (4.5a, 4.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from memtend.errors import ConditionFailed, InvalidName, KindMismatch, NotFound
from memtend.memory import Memory
from memtend.model.policy import Policy, Reading
from memtend.model.query import Query
from memtend.model.record import Labels
from memtend.resolving import conflict, conflicts, crowding, settle, settle_all
from tests.fixtures.replicas import sync
from tests.fixtures.stores import set_policies

NS = "work/shared"
WRITES: dict[str, Callable[[Memory], Any]] = {
    "put": lambda memory: memory.put(NS, "k", 1),
    "increment": lambda memory: memory.increment(NS, "k"),
    "set_counter": lambda memory: memory.set_counter(NS, "k", 3),
    "add": lambda memory: memory.add(NS, "k", 1),
    "put_field": lambda memory: memory.put_field(NS, "k", "f", 1),
}
ALLOWED = {
    Reading.MV: ["put"],
    Reading.COUNTER: ["increment", "set_counter"],
    Reading.SET: ["add"],
    Reading.MAP: ["put_field"],
}


def under(memory: Memory, reading: Reading) -> None:
    set_policies(memory, Policy(pattern="work/**", reading=reading))


def test_fields_of_a_map(memory: Memory) -> None:
    memory.put_field(NS, "m", "b", {"x": 1}, labels=Labels(tags=("t",)))
    memory.put_field(NS, "m", "a", None)
    memory.put_field(NS, "m", "b", 2)
    memory.add(NS, "m", "an element")
    assert memory.fields(NS, "m") == {"a": None, "b": 2}
    assert memory.get_field(NS, "m", "b") == 2
    assert memory.get_field(NS, "m", "c", "none") == "none"
    assert memory.members(NS, "m") == ["an element"]
    assert memory.get(NS, "m", "none") == "none"
    assert memory.delete_field(NS, "m", "b") is True
    assert memory.delete_field(NS, "m", "b") is False
    assert memory.fields(NS, "m") == {"a": None}
    first = memory.put_field(NS, "m", "c", 1, op_id="op")
    assert memory.put_field(NS, "m", "c", 9, op_id="op") == first
    assert memory.get_field(NS, "m", "c") == 1
    for name in ("", "a b", "/"):
        with pytest.raises(InvalidName):
            memory.put_field(NS, "m", name, 1)


def test_a_map_is_read_whole_where_the_policy_says_so(memory: Memory) -> None:
    under(memory, Reading.MAP)
    assert memory.get(NS, "m", "none") == "none"
    memory.put_field(NS, "m", "b", 2)
    memory.put_field(NS, "m", "a", 1)
    assert memory.get(NS, "m") == {"a": 1, "b": 2}
    assert memory.delete(NS, "m")
    assert not memory.delete(NS, "m")
    assert memory.get(NS, "m", "none") == "none"


def test_a_field_written_meanwhile_survives_its_removal(both: tuple[Memory, Memory]) -> None:
    a, b = both
    for field in ("x", "y"):
        a.put_field(NS, "m", field, "old")
    sync(a, b)
    a.delete_field(NS, "m", "x")
    a.delete_field(NS, "m", "y")
    b.put_field(NS, "m", "x", "new")
    sync(a, b)
    assert a.fields(NS, "m") == b.fields(NS, "m") == {"x": "new"}


@pytest.mark.parametrize("reading", ALLOWED)
def test_the_policy_fixes_the_kind(memory: Memory, reading: Reading) -> None:
    under(memory, reading)
    for name, write in WRITES.items():
        if name in ALLOWED[reading]:
            write(memory)
        else:
            with pytest.raises(KindMismatch, match=rf"holds a ({reading.value} by policy|value)"):
                write(memory)
    assert memory.get(NS, "k") is not None


def test_a_counter_is_not_deleted(memory: Memory) -> None:
    under(memory, Reading.COUNTER)
    memory.increment(NS, "k", 5)
    with pytest.raises(KindMismatch):
        memory.delete(NS, "k")
    assert memory.get(NS, "k") == 5


@pytest.fixture
def mixed(both: tuple[Memory, Memory]) -> tuple[Memory, Memory]:
    """Two replicas of a counter namespace; the second has no policy and stored plain values."""
    here, there = both
    under(here, Reading.COUNTER)
    here.increment(NS, "both", 5)
    there.put(NS, "both", {"not": "a counter"}, labels=Labels(tags=("t",)))
    there.put(NS, "lone", "stray", labels=Labels(tags=("t",)))
    sync(here, there)
    return here, there


def test_a_value_of_another_kind_is_kept_and_not_used(mixed: tuple[Memory, Memory]) -> None:
    here, there = mixed
    assert here.get(NS, "both") == 5
    assert here.get(NS, "lone", "none") == "none"
    assert here.get_many(NS, ["both", "lone"]) == {"both": 5}
    assert here.scan(NS) == [("both", 5)]
    assert here.read(NS, "lone") is None
    assert here.tagged("t") == []  # the tag is that of a value that is not shown
    assert here.search(Query(tag="t")) == []
    assert [one.value for one in here.search(Query())] == [5]
    record = here.read(NS, "both")
    assert record is not None
    assert (record.value, record.conflicts) == (5, 1)
    assert {str(one.value) for one in here.siblings(NS, "both")} == {"5", "{'not': 'a counter'}"}
    found = conflicts(here)
    assert [(one.key, one.siblings, one.foreign) for one in found] == [
        ("both", 2, 1),
        ("lone", 1, 1),
    ]
    assert crowding(here) == (1, 2)
    # Without a policy, the value goes before the counter, and neither write drops the other's.
    assert there.get(NS, "both") == {"not": "a counter"}
    there.put(NS, "both", "newer")
    with pytest.raises(KindMismatch):
        there.increment(NS, "both")
    assert here.increment(NS, "both", 2) == 7
    assert here.increment(NS, "lone", 1) == 1
    sync(here, there)
    assert (here.get(NS, "both"), there.get(NS, "both")) == (7, "newer")
    there.delete(NS, "both")
    sync(here, there)
    assert here.get(NS, "both") == there.get(NS, "both") == 7
    assert [one.key for one in conflicts(here)] == ["lone"]


def test_settling_what_is_of_another_kind(mixed: tuple[Memory, Memory]) -> None:
    here, there = mixed
    view = conflict(here, NS, "both")
    assert view is not None
    assert view.shows == {"counter": 5}
    assert {(one.kind, one.foreign) for one in view.siblings} == {
        ("counter", False),
        ("value", True),
    }
    with pytest.raises(ConditionFailed):
        settle(here, NS, "both", seen="other", strategy="lww")
    assert settle(here, NS, "both", seen=view.seen, strategy="lww") == 5
    settle(here, NS, "lone", strategy="lww")
    assert conflicts(here) == []
    sync(here, there)
    assert there.get(NS, "both") == here.get(NS, "both") == 5
    assert there.get(NS, "lone") is None
    with pytest.raises(NotFound):
        settle(here, NS, "both", 1)


def test_a_number_in_the_place_of_a_counter_and_more(mixed: tuple[Memory, Memory]) -> None:
    here, there = mixed
    with pytest.raises(KindMismatch):
        settle(here, NS, "both", "no number")
    assert settle(here, NS, "both", 40) == 40
    assert settle(here, NS, "lone", 2) == 2
    assert here.increment(NS, "lone") == 3
    sync(here, there)
    assert (there.get(NS, "both"), there.get(NS, "lone")) == (40, 3)


def test_settling_for_the_value_on_the_side_without_a_policy(
    mixed: tuple[Memory, Memory],
) -> None:
    here, there = mixed
    plan, report = settle_all(there, "work/*")
    assert ([one.key for one in plan.decisions], report.applied) == (["both"], False)
    assert len(there.siblings(NS, "both")) == 2
    _, report = settle_all(there, "work/*", apply=True)
    assert (report.planned, report.written, report.refused) == (1, 1, 0)
    sync(here, there)
    assert there.get(NS, "both") == {"not": "a counter"}
    assert [(one.key, one.foreign) for one in conflicts(here)] == [("both", 1), ("lone", 1)]


def test_elements_added_by_several_are_no_conflict(both: tuple[Memory, Memory]) -> None:
    a, b = both
    for memory in both:
        memory.add(NS, "s", "same")
        memory.increment(NS, "n", 1)
        memory.put_field(NS, "m", "f", memory is a)
    sync(a, b)
    assert a.members(NS, "s") == ["same"]
    assert [(one.key, one.field) for one in conflicts(a)] == [("m", "f")]
    assert settle(a, NS, "m", "both", field="f") == "both"
    sync(a, b)
    assert b.fields(NS, "m") == {"f": "both"}
    assert conflicts(b) == []


@pytest.mark.parametrize("reading", [Reading.SET, Reading.MAP])
def test_a_value_in_a_place_of_sets_or_maps_can_only_go(
    both: tuple[Memory, Memory], reading: Reading
) -> None:
    here, there = both
    under(here, reading)
    there.put(NS, "k", "stray")
    sync(here, there)
    assert here.get(NS, "k", "none") == "none"
    assert [(one.key, one.foreign) for one in conflicts(here)] == [("k", 1)]
    for choice in ({"take": 1}, {"value": 2}):
        with pytest.raises(KindMismatch, match=f"holds a {reading.value}"):
            settle(here, NS, "k", **choice)  # type: ignore[arg-type]
    _, report = settle_all(here, "**", apply=True)
    assert report.written == 1
    sync(here, there)
    assert (conflicts(here), there.get(NS, "k")) == ([], None)


def test_a_number_replaces_only_the_counter_that_was_seen(
    mixed: tuple[Memory, Memory], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = mixed
    found = here._settle_counter

    def meanwhile(*given: Any) -> Any:
        here.increment(NS, "both")
        return found(*given)

    monkeypatch.setattr(here, "_settle_counter", meanwhile)
    with pytest.raises(ConditionFailed):
        settle(here, NS, "both", 40)
    assert here.get(NS, "both") == 6
    assert settle(here, NS, "both", strategy="lww") == 7
