"""Who may do what, who wrote what, and taking one writer's records out of sight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from memtend.drafting import Put
from memtend.errors import AccessDenied, ConditionFailed
from memtend.explain import explain
from memtend.memory import Memory
from memtend.model.query import Query
from memtend.model.record import Labels, Trust
from memtend.store.quarantine import mark_writer
from tests.fixtures.stores import beside, blob, run_sql

NS = "team/notes"


def as_agent(memory: Memory, agent: str) -> Memory:
    return Memory(memory.store, agent=agent)


def test_without_grants_everybody_may(memory: Memory) -> None:
    scout = as_agent(memory, "scout")
    scout.put(NS, "k", 1)
    assert scout.get(NS, "k") == 1
    assert memory.config.grants == []


def test_with_grants_the_rest_is_denied(memory: Memory) -> None:
    memory.put(NS, "k", 1, labels=Labels(tags=("t",)))
    memory.put("secret", "k", 2, labels=Labels(tags=("t",)))
    memory.config.grant("scout", "team/**", "read", "operator")
    memory.config.grant("clerk", "team/*", "write", "operator")
    scout, clerk, other = (as_agent(memory, name) for name in ("scout", "clerk", "other"))
    assert scout.get(NS, "k") == 1
    assert clerk.put(NS, "k", 3)
    assert clerk.get(NS, "k") == 3
    writes: list[Callable[[Memory], Any]] = [
        lambda m: m.put(NS, "k", 0), lambda m: m.put_many([Put(NS, "k", 0)]),
        lambda m: m.put_if(NS, "k", 0, []), lambda m: m.delete(NS, "k"),
        lambda m: m.touch(NS, "k", 5), lambda m: m.increment(NS, "n"),
        lambda m: m.set_counter(NS, "n", 1), lambda m: m.add(NS, "s", 1),
        lambda m: m.remove(NS, "s", 1), lambda m: m.update(NS, "k", lambda _: 0),
    ]  # fmt: skip
    reads: list[Callable[[Memory], Any]] = [
        lambda m: m.get(NS, "k"), lambda m: m.get_many(NS, ["k"]), lambda m: m.scan(NS),
        lambda m: m.read(NS, "k"), lambda m: m.siblings(NS, "k"), lambda m: m.members(NS, "k"),
        lambda m: m.update(NS, "k", lambda _: 0), lambda m: m.increment(NS, "n"),
    ]  # fmt: skip
    for agent, calls in ((scout, writes), (other, [*writes, *reads])):
        for call in calls:
            with pytest.raises(AccessDenied):
                call(agent)
    with pytest.raises(AccessDenied):
        clerk.put_many([Put(NS, "k", 0), Put("secret", "k", 0)])
    assert memory.get(NS, "k") == 3
    assert [record.value for record in scout.search(Query(tag="t"))] == [3]
    assert other.search(Query()) == []
    assert len(memory.search(Query())) == 2


def test_records_that_one_may_not_read_take_no_place_in_a_search(memory: Memory) -> None:
    for n in range(5):
        memory.put("a/secret", f"k{n}", n)
        memory.put("b/open", f"k{n}", n)
    memory.config.grant("scout", "b/**", "read", "operator")
    found = as_agent(memory, "scout").search(Query(limit=3))
    assert [record.path for record in found] == ["b/open/k0", "b/open/k1", "b/open/k2"]


def test_grants_for_everybody_and_their_end(memory: Memory) -> None:
    memory.config.grant("*", "team/*", "admin", "operator")
    memory.config.grant("*", "team/*", "admin", "operator")
    scout = as_agent(memory, "scout")
    assert scout.put(NS, "k", 1)
    assert scout.config.allows("scout", "admin", NS)
    assert not scout.config.allows("scout", "read", "other")
    scout.config.revoke("*", "team/*", "operator")
    assert scout.config.grants == []


def test_a_memory_opened_elsewhere_learns_of_a_grant_from_its_next_write(memory: Memory) -> None:
    scout = as_agent(memory, "scout")
    memory.config.grant("other", "x/**", "read", "operator")
    scout.config.refresh(memory.store.meta().config)
    with pytest.raises(AccessDenied):
        scout.put(NS, "k", 1)


def test_the_writer_is_who_writes(memory: Memory) -> None:
    scout = as_agent(memory, "scout")
    scout.put(NS, "own", 1)
    scout.put(NS, "claimed", 1, labels=Labels(writer="somebody", agent="other"))
    memory.put(NS, "theirs", 1, labels=Labels(writer="other"))
    scout.put(NS, "theirs", 2)
    for key, agent in (("own", "scout"), ("claimed", "other"), ("theirs", "scout")):
        record = memory.read(NS, key)
        assert record is not None
        assert (record.labels.writer, record.labels.agent) == ("scout", agent)


def test_quarantine_and_back(memory: Memory) -> None:
    scout = as_agent(memory, "scout")
    for n in range(3):
        scout.put(NS, f"k{n}", n, labels=Labels(tags=("t",), extra={"n": n}))
    scout.add(NS, "s", "element")
    scout.increment(NS, "n", 5)
    memory.put(NS, "own", "kept")
    before = memory.search(Query(limit=9))
    assert mark_writer(memory.store, "scout", Trust.QUARANTINED, actor="operator") == 5
    assert mark_writer(memory.store, "scout", Trust.QUARANTINED, actor="operator") == 0
    assert memory.scan(NS) == [("own", "kept")]
    assert memory.get(NS, "k0") is None
    assert memory.members(NS, "s") == []
    assert memory.search(Query(tag="t")) == []
    assert explain(memory, NS, "k0").state == "quarantined"
    assert memory.stats().records == 6
    assert mark_writer(memory.store, "scout", Trust.TRUSTED, actor="operator") == 5
    after = memory.search(Query(limit=9))
    assert [(r.key, r.value, r.created_at) for r in after] == [
        (r.key, r.value, r.created_at) for r in before
    ]
    assert memory.get(NS, "n") == 5
    assert memory.increment(NS, "n", 1) == 6
    assert memory.members(NS, "s") == ["element"]


def test_what_is_written_over_a_quarantined_record_is_seen(memory: Memory) -> None:
    as_agent(memory, "scout").put(NS, "k", "poison", labels=Labels(kind="trap"))
    as_agent(memory, "scout").put(NS, "cas", "poison")
    mark_writer(memory.store, "scout", Trust.QUARANTINED, actor="operator")
    memory.put(NS, "k", "sound")
    record = memory.read(NS, "k")
    assert record is not None
    assert (record.value, record.labels.trust) == ("sound", Trust.UNVERIFIED)
    with pytest.raises(ConditionFailed):
        memory.put_if(NS, "cas", 1, [record.dot])
    memory.put_if(NS, "cas", "sound", [])
    assert memory.update(NS, "cas", lambda value: value + "!") == "sound!"


def test_siblings_of_other_writers_stay_in_sight(memory: Memory) -> None:
    beside(memory, NS, "k", "good", labels=Labels(writer="w1"))
    beside(memory, NS, "k", "bad", labels=Labels(writer="w2"))
    assert memory.get(NS, "k") == "bad"
    mark_writer(memory.store, "w2", Trust.QUARANTINED, actor="operator")
    assert memory.get(NS, "k") == "good"
    assert len(memory.siblings(NS, "k")) == 1


def test_many_records_of_one_writer(memory: Memory) -> None:
    memory.put_many([Put(NS, f"k{n}", n, Labels(writer="w")) for n in range(1_100)])
    assert mark_writer(memory.store, "w", Trust.QUARANTINED, actor="operator") == 1_100
    assert memory.scan(NS) == []


def test_a_damaged_record_is_never_given_a_sound_hash(damageable: Memory) -> None:
    memory = damageable
    memory.put(NS, "k", "value", labels=Labels(writer="w"))
    memory.put(NS, "j", "value", labels=Labels(writer="w"))
    damage = blob(memory, b"1")
    run_sql(memory, f"UPDATE sibling SET value = {damage} WHERE key = 'k'")
    before = run_sql(memory, "SELECT hash FROM sibling WHERE key = 'k'")
    assert mark_writer(memory.store, "w", Trust.QUARANTINED, actor="operator") == 1
    assert run_sql(memory, "SELECT hash FROM sibling WHERE key = 'k'") == before
