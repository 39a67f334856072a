"""Records: put, get, delete, scan, compare-and-set, update, siblings, on every engine."""

from __future__ import annotations

from typing import Any

import pytest

from memtend.clock import ManualClock, to_ms
from memtend.drafting import Put
from memtend.errors import ConditionFailed, LimitExceeded, NotFound
from memtend.limits import BATCH_MAX, GET_MANY_MAX, SCAN_MAX
from memtend.memory import Memory
from memtend.model.policy import Cleanup, Policy
from memtend.model.record import Labels, Trust
from tests.fixtures.stores import beside, set_policies

NS = "knowledge/rest"


def test_what_was_put_is_read(memory: Memory) -> None:
    values: list[Any] = [
        {"max": 3}, [], "text é 🎈", 0, -1, 2**53 - 1, 0.1, True, False, None,
        {"": {"a": [1, "b"]}},
    ]  # fmt: skip
    for n, value in enumerate(values):
        memory.put(NS, f"k{n:02}", value)
    assert [memory.get(NS, f"k{n:02}", "absent") for n in range(len(values))] == values
    assert memory.get_many(NS, [f"k{n:02}" for n in range(len(values))]) == {
        f"k{n:02}": value for n, value in enumerate(values)
    }


def test_nothing_is_read_where_nothing_was_put(memory: Memory) -> None:
    assert memory.get("never/seen", "k", "default") == "default"
    assert memory.get_many("never/seen", ["k"]) == {}
    assert memory.scan("never/seen") == []
    assert memory.read("never/seen", "k") is None
    assert memory.siblings("never/seen", "k") == []
    assert memory.delete("never/seen", "k") is False
    memory.put(NS, "k", 1)
    assert memory.get(NS, "other") is None
    assert memory.delete(NS, "other") is False
    assert memory.get_many(NS, []) == {}


def test_a_put_replaces_and_a_delete_removes(memory: Memory) -> None:
    first = memory.put(NS, "k", 1)
    second = memory.put(NS, "k", 2)
    assert (second.replica, second.n) == (first.replica, first.n + 1)
    assert memory.get(NS, "k") == 2
    assert len(memory.siblings(NS, "k")) == 1
    assert memory.delete(NS, "k") is True
    assert memory.delete(NS, "k") is False
    assert memory.read(NS, "k") is None


def test_keys_of_one_namespace_are_apart_from_those_of_another(memory: Memory) -> None:
    memory.put("a", "b/c", 1)
    memory.put("a/b", "c", 2)
    assert (memory.get("a", "b/c"), memory.get("a/b", "c")) == (1, 2)
    memory.delete("a", "b/c")
    assert memory.get("a/b", "c") == 2


def test_a_whole_record(memory: Memory, clock: ManualClock) -> None:
    labels = Labels(
        kind="fact", agent="scout", session="s1", tags=("api", "rest"), importance=0.9,
        confidence=0.25, success_count=3, failure_count=1, pinned=True, writer="scout",
        trust=Trust.TRUSTED, extra={"source": {"line": 7}},
    )  # fmt: skip
    dot = memory.put(NS, "k", {"a": 1}, labels=labels, ttl_ms=5_000)
    record = memory.read(NS, "k")
    assert record is not None
    assert record.labels == labels
    assert (record.value, record.dot, record.conflicts) == ({"a": 1}, dot, 0)
    now_ms = clock.now_ms()
    assert [to_ms(at) for at in (record.created_at, record.updated_at)] == [now_ms, now_ms]
    assert record.expires_at is not None
    assert to_ms(record.expires_at) == now_ms + 5_000
    assert record.path == "knowledge/rest/k"
    assert not record.is_expired(record.created_at)
    assert record.is_expired(record.expires_at)


def test_labels_and_creation_time_stay_unless_replaced(memory: Memory, clock: ManualClock) -> None:
    memory.put(NS, "k", 1, labels=Labels(kind="fact", tags=("a",), extra={"x": 1}))
    born = clock.now_ms()
    clock.advance(10)
    memory.put(NS, "k", 2)
    kept = memory.read(NS, "k")
    assert kept is not None
    assert (kept.labels.kind, kept.labels.tags, kept.labels.extra) == ("fact", ("a",), {"x": 1})
    memory.put(NS, "k", 3, labels=Labels(kind="rule"))
    replaced = memory.read(NS, "k")
    assert replaced is not None
    assert (replaced.labels.kind, replaced.labels.tags) == ("rule", ())
    assert to_ms(replaced.created_at) == born
    assert to_ms(replaced.updated_at) == born + 10


def test_a_new_life_takes_nothing_from_an_expired_one(memory: Memory, clock: ManualClock) -> None:
    memory.put(NS, "k", 1, labels=Labels(kind="fact"), ttl_ms=10)
    clock.advance(10)
    memory.put(NS, "k", 2)
    record = memory.read(NS, "k")
    assert record is not None
    assert (record.labels.kind, to_ms(record.created_at)) == ("note", clock.now_ms())


def test_put_many_is_one_transaction(memory: Memory) -> None:
    dots = memory.put_many([Put(NS if n % 2 else "other", f"k{n}", n) for n in range(50)])
    assert [dot.n for dot in dots] == list(range(1, 51))
    assert memory.get_many(NS, [f"k{n}" for n in range(50)]) == {
        f"k{n}": n for n in range(50) if n % 2
    }
    assert memory.put_many([]) == []
    with pytest.raises(ConditionFailed):
        memory._write([Put(NS, "new", 1), Put(NS, "k1", 2)], expected=frozenset(), action="put_if")
    assert memory.get(NS, "new") is None


def test_a_later_put_of_a_batch_replaces_an_earlier_one(memory: Memory) -> None:
    memory.put(NS, "k", 0, labels=Labels(tags=("old",)))
    batch = [Put(NS, "k", n, Labels(tags=(f"t{n}", "all"))) for n in range(1, 4)]
    memory.put_many([*batch, Put(NS, "j", 9), Put(NS, "k", 4)])
    assert [r.value for r in memory.siblings(NS, "k")] == [4]
    record = memory.read(NS, "k")
    assert record is not None
    assert record.labels.tags == ("t3", "all")
    assert memory.stats().records == 2


def test_siblings_of_one_batch_stay_beside_each_other(memory: Memory) -> None:
    memory.put(NS, "k", "old")
    memory.put_many([Put(NS, "k", "a"), Put(NS, "k", "b", ctx={}), Put(NS, "k", "c", ctx={})])
    assert [r.value for r in memory.siblings(NS, "k")] == ["a", "b", "c"]


def test_two_agents_do_not_overwrite_each_other_unseen(memory: Memory) -> None:
    seen = memory.put(NS, "k", "first")
    context = {seen.replica: seen.n}
    memory.put(NS, "k", "of one", ctx=context)
    memory.put(NS, "k", "of two", ctx=context)
    found = memory.siblings(NS, "k")
    assert [record.value for record in found] == ["of one", "of two"]
    assert {record.conflicts for record in found} == {1}
    assert memory.get(NS, "k") == "of two"
    top = memory.read(NS, "k")
    assert top is not None
    assert top.conflicts == 1
    memory.put(NS, "k", "both seen")
    assert [record.value for record in memory.siblings(NS, "k")] == ["both seen"]


def test_a_delete_spares_what_its_caller_had_not_seen(memory: Memory) -> None:
    seen = memory.put(NS, "k", "seen")
    beside(memory, NS, "k", "unseen")
    assert memory.delete(NS, "k", ctx={seen.replica: seen.n}) is True
    assert memory.get(NS, "k") == "unseen"
    assert memory.delete(NS, "k", ctx={}) is False
    assert memory.delete(NS, "k") is True


def test_compare_and_set(memory: Memory) -> None:
    first = memory.put_if(NS, "k", 1, [])
    with pytest.raises(ConditionFailed, match="found"):
        memory.put_if(NS, "k", 2, [])
    second = memory.put_if(NS, "k", 2, [first], ttl_ms=0, labels=Labels(kind="fact"))
    beside(memory, NS, "k", 3)
    with pytest.raises(ConditionFailed):
        memory.put_if(NS, "k", 4, [second])
    memory.put_if(NS, "k", 4, [record.dot for record in memory.siblings(NS, "k")])
    assert [record.value for record in memory.siblings(NS, "k")] == [4]


def test_compare_and_set_takes_an_expired_record_for_none(
    memory: Memory, clock: ManualClock
) -> None:
    memory.put(NS, "k", 1, ttl_ms=10)
    clock.advance(10)
    memory.put_if(NS, "k", 2, [])
    assert memory.get(NS, "k") == 2


def test_update_starts_from_the_default_and_tries_again(memory: Memory) -> None:
    assert memory.update(NS, "k", lambda value: [*value, 1], []) == [1]
    between = iter([True, True, False])

    def change(value: list[int]) -> list[int]:
        if next(between):
            memory.put(NS, "k", [*value, 7])
        return [*value, 2]

    assert memory.update(NS, "k", change) == [1, 7, 7, 2]


def test_update_gives_up(memory: Memory) -> None:
    def change(_: Any) -> int:
        memory.put(NS, "k", 0)
        return 1

    with pytest.raises(ConditionFailed):
        memory.update(NS, "k", change)


def test_scan_in_key_order_and_by_prefix(memory: Memory) -> None:
    keys = ["a", "a-b", "a/b", "a/b/c", "a0", "aa", "b", "Z", "a=", "a@x", "a_b", "a.b"]
    memory.put_many([Put(NS, key, key) for key in keys])
    ordered = [(key, key) for key in sorted(keys)]
    assert memory.scan(NS) == ordered
    assert [key for key, _ in memory.scan(NS, prefix="a/")] == ["a/b", "a/b/c"]
    for prefix in ("a", "a-", "Z", "b", "c", "0", "a/b"):
        assert memory.scan(NS, prefix=prefix) == [p for p in ordered if p[0].startswith(prefix)]
    assert memory.scan(NS, after="a/b", limit=2) == [("a/b/c", "a/b/c"), ("a0", "a0")]
    assert memory.scan(NS, prefix="a", after="a@x") == [("a_b", "a_b"), ("aa", "aa")]


@pytest.mark.parametrize("prefix", ["\x00", "é", "/", " ", "~", "𝄞"])
def test_scan_for_a_prefix_that_no_key_can_have(memory: Memory, prefix: str) -> None:
    memory.put(NS, "k", 1)
    assert memory.scan(NS, prefix=prefix) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_together_are_the_whole(memory: Memory, clock: ManualClock, limit: int) -> None:
    """Whatever stands at a page's border: siblings, expired ones among them."""
    expected = []
    for n in range(12):
        key = f"k{n:02}"
        if n % 3 != 1:
            memory.put(NS, key, -1, ttl_ms=10)
        if n % 4 != 2:
            for value in range(n % 5 + 1):
                beside(memory, NS, key, value)
            expected.append((key, n % 5))
    clock.advance(10)
    found: list[tuple[str, Any]] = []
    while page := memory.scan(NS, after=found[-1][0] if found else "", limit=limit):
        found += page
    assert found == expected
    assert memory.scan(NS, prefix="k", limit=100) == expected


def test_more_than_the_limit_is_refused(memory: Memory) -> None:
    for limit in (0, -1, SCAN_MAX + 1):
        with pytest.raises(LimitExceeded):
            memory.scan(NS, limit=limit)
    with pytest.raises(LimitExceeded):
        memory.get_many(NS, ["k"] * (GET_MANY_MAX + 1))
    with pytest.raises(LimitExceeded):
        memory.put_many([Put(NS, "k", 1)] * (BATCH_MAX + 1))
    assert memory.stats().records == 0


def test_a_repeated_operation_changes_nothing(memory: Memory) -> None:
    first = memory.put(NS, "k", 1, op_id="op-1")
    memory.put(NS, "k", 2)
    assert memory.put(NS, "k", 1, op_id="op-1") == first
    assert memory.get(NS, "k") == 2
    batch = [Put(NS, "a", 1), Put(NS, "b", 2)]
    dots = memory.put_many(batch, op_id="op-2")
    memory.delete(NS, "a")
    assert memory.put_many(batch, op_id="op-2") == dots
    assert memory.get(NS, "a") is None


def test_a_failed_operation_may_be_repeated(memory: Memory) -> None:
    memory.put(NS, "k", 1)
    with pytest.raises(ConditionFailed):
        memory._write([Put(NS, "k", 2)], expected=frozenset(), op_id="op")
    memory.put(NS, "k", 2, op_id="op")
    assert memory.get(NS, "k") == 2


def test_several_memories_on_one_store(lasting_url: str, clock: ManualClock) -> None:
    with Memory.open(lasting_url, clock=clock) as one, Memory.open(lasting_url, clock=clock) as two:
        one.put("new/space", "k", 1)
        assert two.get("new/space", "k") == 1
        assert two.put("new/space", "k", 2).n == 2
        assert one.put("new/space", "k", 3).n == 3
        set_policies(one, Policy(pattern="new/**", ttl_ms=1_000, cleanup=Cleanup.MANUAL))
        two.put("new/space", "k", 4)
        two.put("new/space", "k", 5)
        record = two.read("new/space", "k")
        assert record is not None
        assert record.expires_at is not None


def test_touch_of_nothing(memory: Memory) -> None:
    with pytest.raises(NotFound):
        memory.touch(NS, "k")
