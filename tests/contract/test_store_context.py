"""Writing in the context of what was seen; what a reader is shown of several values (4.3, 4.4)."""

from __future__ import annotations

from typing import Any

import pytest

from memtend.clock import ManualClock
from memtend.errors import ConditionFailed, InvalidValue, TooManySiblings
from memtend.limits import SIBLINGS_MAX, SWEEP_MARGIN_MS
from memtend.memory import Memory
from memtend.model.policy import Policy, Reading
from memtend.model.query import Query
from memtend.model.record import Labels
from memtend.resolving import crowding
from memtend.store.expiry import drop_expired, expired
from tests.fixtures.stores import beside, set_policies

NS = "notes/shared"


def values(memory: Memory, key: str = "k") -> list[Any]:
    return [one.value for one in memory.siblings(NS, key)]


def test_two_agents_of_one_replica_do_not_overwrite_each_other_unseen(memory: Memory) -> None:
    ada, bob = Memory(memory.store, agent="ada"), Memory(memory.store, agent="bob")
    memory.put(NS, "k", "first")
    by_ada, by_bob = ada.look(NS, "k"), bob.look(NS, "k")
    assert by_ada.values == by_bob.values == ["first"]
    ada.put(NS, "k", "ada's", ctx=by_ada.context)
    bob.put(NS, "k", "bob's", ctx=by_bob.context)
    assert values(memory) == ["ada's", "bob's"]
    assert memory.get(NS, "k") == "bob's"
    again = ada.look(NS, "k")
    assert again.values == ["ada's", "bob's"]
    ada.put(NS, "k", "both", ctx=again.context)
    assert values(memory) == ["both"]


def test_a_delete_leaves_what_came_since_the_look(memory: Memory) -> None:
    memory.put(NS, "k", 1)
    seen = memory.look(NS, "k").context
    memory.put(NS, "k", 2, ctx=seen)
    later = memory.look(NS, "k").context
    memory.put(NS, "k", 3, ctx=seen)
    assert memory.delete(NS, "k", ctx=later)
    assert values(memory) == [3]
    assert not memory.delete(NS, "k", ctx=later)
    assert memory.delete(NS, "k", ctx=memory.context())
    assert memory.look(NS, "k").records == ()


def test_a_look_at_nothing_covers_nothing(memory: Memory) -> None:
    """The namespace does not exist yet: whatever is written to it since stays."""
    seen = memory.look(NS, "k")
    assert (seen.records, seen.values) == ((), [])
    memory.put(NS, "k", "meanwhile")
    memory.put(NS, "k", "mine", ctx=seen.context)
    assert values(memory) == ["meanwhile", "mine"]


def test_elements_and_fields_have_a_context_too(memory: Memory) -> None:
    memory.add(NS, "s", "x")
    memory.put_field(NS, "m", "f", 1)
    before = memory.look(NS, "s").context
    assert [one.field for one in memory.look(NS, "m").records] == ["f"]
    memory.add(NS, "s", "x", ctx=before)
    memory.put_field(NS, "m", "f", 2, ctx=before)
    assert not memory.remove(NS, "s", "x", ctx={})
    assert not memory.delete_field(NS, "m", "f", ctx={})
    memory.put_field(NS, "m", "f", 3, ctx=before)
    assert memory.remove(NS, "s", "x", ctx=before) is False
    assert memory.members(NS, "s") == ["x"]
    assert sorted(one.value for one in memory.look(NS, "m").records) == [2, 3]
    assert memory.get_field(NS, "m", "f") == 3


@pytest.mark.parametrize("ctx", [{1: 2}, {"a": "b"}, {"a": True}, {"a": 1.5}])
def test_a_context_that_is_none(memory: Memory, ctx: Any) -> None:
    with pytest.raises(InvalidValue, match="no vector"):
        memory.put(NS, "k", 1, ctx=ctx)


def test_an_update_starts_again_where_another_came_between(memory: Memory) -> None:
    memory.put(NS, "k", [])
    turns = iter(["other", None])

    def change(before: list[str]) -> list[str]:
        if (other := next(turns)) is not None:
            memory.put(NS, "k", [*before, other])
        return [*before, "mine"]

    assert memory.update(NS, "k", change) == ["other", "mine"]
    with pytest.raises(ConditionFailed):
        memory.put_if(NS, "k", 1, [])


def test_what_each_way_of_reading_shows_of_several_values(memory: Memory) -> None:
    memory.put(NS, "k", {"who": "ada"}, labels=Labels(kind="fact", tags=("t",)))
    beside(memory, NS, "k", {"who": "bob"}, labels=Labels(kind="note", tags=("t",)))
    newest, both = {"who": "bob"}, ({"who": "ada"}, {"who": "bob"})
    for reading, all_values in ((Reading.LWW, ()), (Reading.MV, both)):
        set_policies(memory, Policy(pattern="notes/*", reading=reading))
        assert memory.get(NS, "k") == newest
        assert memory.get_many(NS, ["k"]) == {"k": newest}
        assert memory.scan(NS) == [("k", newest)]
        assert memory.tagged("t") == [(NS, "k", newest)]
        assert values(memory) == list(both)
        record = memory.read(NS, "k")
        assert record is not None
        assert (record.value, record.values, record.conflicts) == (newest, all_values, 1)
        assert record.labels.kind == "note"


def test_a_search_judges_what_a_reader_is_shown(memory: Memory) -> None:
    """Under `lww` a hidden value is not found; under `multi_value` each value on its own is."""
    memory.put(NS, "k", {"who": "ada"}, labels=Labels(kind="fact", tags=("t",)))
    beside(memory, NS, "k", {"who": "bob"}, labels=Labels(kind="note"))
    hidden = [Query(text="ada"), Query(fields={"who": "ada"}), Query(kind="fact"), Query(tag="t")]
    for query in hidden:
        assert memory.search(query) == []
    assert [one.value for one in memory.search(Query(text="bob"))] == [{"who": "bob"}]
    set_policies(memory, Policy(pattern="notes/*", reading=Reading.MV))
    for query in hidden:
        [found] = memory.search(query)
        assert (found.value, found.labels.kind) == ({"who": "ada"}, "fact")
        assert found.values == ({"who": "ada"}, {"who": "bob"})
    assert memory.search(Query(text="ada", kind="note")) == []  # of one value, not of any two


def test_touching_judges_nothing(memory: Memory, clock: ManualClock) -> None:
    memory.put(NS, "k", "old", ttl_ms=1_000)
    beside(memory, NS, "k", "new", ttl_ms=1_000)
    clock.advance(900)
    memory.touch(NS, "k", 10_000)
    assert values(memory) == ["new", "old"]
    clock.advance(200)
    assert values(memory) == ["new"]


def test_an_element_or_field_lives_as_long_as_its_longest_sibling(
    memory: Memory, clock: ManualClock
) -> None:
    """CRDT_SPEC 6.8, swept or not."""
    memory.put_field(NS, "m", "f", "short", ttl_ms=1_000)
    memory.put_field(NS, "m", "f", "long", ttl_ms=200_000, ctx={})
    set_policies(memory, Policy(pattern="notes/*", ttl_ms=1_000))
    memory.add(NS, "s", "x")
    set_policies(memory, Policy(pattern="notes/*", ttl_ms=200_000))
    memory.add(NS, "s", "x", ctx={})
    for _ in range(2):
        clock.advance(1_000 + SWEEP_MARGIN_MS)
        assert memory.members(NS, "s") == ["x"]
        assert memory.fields(NS, "m") == {"f": "long"}
        drop_expired(memory.store, [one.seq for one in expired(memory.store, 99)], actor="sweep")
    clock.advance(200_000)
    assert memory.members(NS, "s") == []
    assert memory.fields(NS, "m") == {}


def test_one_too_many_is_refused_and_nothing_is_lost(memory: Memory) -> None:
    for n in range(SIBLINGS_MAX):
        beside(memory, NS, "k", n)
    with pytest.raises(TooManySiblings, match="64 concurrent values already"):
        beside(memory, NS, "k", "one more")
    assert len(values(memory)) == SIBLINGS_MAX
    assert crowding(memory) == (1, SIBLINGS_MAX)
    memory.touch(NS, "k", 10_000)
    memory.put(NS, "k", "settled", ctx=memory.context())
    assert values(memory) == ["settled"]
    assert crowding(memory) == (0, 0)
