"""Sync of real stores, on every both of engines: the examples of CRDT_SPEC 3 to 6, and paging."""

from __future__ import annotations

import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.limits import SWEEP_MARGIN_MS
from memtend.memory import Memory
from memtend.model.record import Labels
from memtend.store.expiry import drop_expired, expired
from memtend.store.logfloor import drop_log
from memtend.store.sync import apply, outgoing, vector
from tests.fixtures.replicas import NS, Make, assert_alike, pages_of, rows, send, sync


def test_what_one_writes_the_other_reads(both: tuple[Memory, Memory]) -> None:
    a, b = both
    labels = Labels(kind="fact", agent="ada", session="s", tags=("t", "u"), extra={"x": 1})
    a.put(NS, "k", {"n": 1, "long": "worth compressing " * 100}, labels=labels, ttl_ms=9_000)
    applied = send(a, b)
    assert (applied.keys, applied.added, applied.dropped, applied.alarms) == (1, 1, 0, ())
    assert b.read(NS, "k") == a.read(NS, "k")
    assert b.tagged("t") == a.tagged("t")
    assert b.stats().namespaces == a.stats().namespaces
    assert_alike(a, b)


def test_concurrent_values_are_all_kept(replica: Make) -> None:
    """Example 6."""
    a, b, c = replica(), replica(), replica("file")
    a.put(NS, "k", "x")
    send(a, b)
    send(a, c)
    b.put(NS, "k", "y")
    c.put(NS, "k", "z")
    sync(a, b, c)
    assert_alike(a, b, c)
    assert [one.value for one in a.siblings(NS, "k")] == ["y", "z"]
    c.put(NS, "k", "w")
    sync(a, b, c)
    assert_alike(a, b, c)
    assert [one.value for one in b.siblings(NS, "k")] == ["w"]


def test_an_add_wins_over_a_concurrent_remove(both: tuple[Memory, Memory]) -> None:
    """Examples 7 and 8."""
    a, b = both
    for element in ("x", "y"):
        a.add(NS, "set", element)
    sync(a, b)
    a.remove(NS, "set", "x")
    a.remove(NS, "set", "y")
    b.add(NS, "set", "x")
    sync(a, b)
    assert a.members(NS, "set") == b.members(NS, "set") == ["x"]
    assert_alike(a, b)


def test_a_deletion_is_safe_however_late_it_is_heard_of(both: tuple[Memory, Memory]) -> None:
    """Example 9."""
    a, b = both
    a.put(NS, "k", 1)
    late = pages_of(a)
    send(a, b)
    b.delete(NS, "k")
    assert drop_log(b.store, keep_ms=0, actor="test") == 1
    apply(b.store, late)
    assert b.get(NS, "k") is None
    with outgoing(b.store, vector(a.store)) as delta:
        assert delta.head.full
        apply(a.store, delta.pages())
    assert a.get(NS, "k") is None
    assert rows(a) == 0
    assert_alike(a, b)


def test_a_write_survives_a_concurrent_delete(both: tuple[Memory, Memory]) -> None:
    """Example 10."""
    a, b = both
    a.put(NS, "k", "old")
    send(a, b)
    a.delete(NS, "k")
    b.put(NS, "k", "new")
    sync(a, b)
    assert a.get(NS, "k") == b.get(NS, "k") == "new"
    assert_alike(a, b)


def test_an_extension_wins_over_a_sweep(both: tuple[Memory, Memory], clock: ManualClock) -> None:
    """Example 11."""
    a, b = both
    a.put(NS, "k", 1, ttl_ms=10_000)
    sync(a, b)
    clock.advance(9_000)
    b.touch(NS, "k", 191_000)
    clock.advance(62_000)
    assert drop_expired(a.store, [row.seq for row in expired(a.store, 9)], actor="t").rows == 1
    sync(a, b)
    record = a.read(NS, "k")
    assert record is not None
    assert record.value == 1
    assert rows(a) == rows(b) == 1
    assert_alike(a, b)


def test_a_value_over_another_that_is_then_swept_leaves_nothing(
    both: tuple[Memory, Memory], clock: ManualClock
) -> None:
    """CRDT_SPEC 5.7."""
    a, b = both
    a.put(NS, "k", "kept for ever")
    sync(a, b)
    a.put(NS, "k", "short", ttl_ms=1_000)
    clock.advance(1_000 + SWEEP_MARGIN_MS)
    drop_expired(a.store, [row.seq for row in expired(a.store, 9)], actor="t")
    sync(a, b)
    assert b.get(NS, "k") is None
    assert rows(b) == 0


def test_counters_add_up(replica: Make) -> None:
    a, b, c = replica(), replica("file"), replica()
    a.increment(NS, "n", 3)
    b.increment(NS, "n", -1)
    sync(a, b, c)
    c.increment(NS, "n", 10)
    a.increment(NS, "n", 1)
    sync(a, b, c)
    sync(a, b, c)
    assert [one.get(NS, "n") for one in (a, b, c)] == [13, 13, 13]
    a.set_counter(NS, "n", 0)
    b.increment(NS, "n", 4)
    sync(a, b, c)
    assert [one.get(NS, "n") for one in (a, b, c)] == [0, 0, 0]
    assert_alike(a, b, c)


def test_counters_set_at_the_same_instant_are_not_added_up(both: tuple[Memory, Memory]) -> None:
    a, b = both
    a.set_counter(NS, "n", 5)
    b.set_counter(NS, "n", 7)
    sync(a, b)
    value = a.get(NS, "n")
    assert value in (5, 7)
    b.increment(NS, "n", 1)
    sync(a, b)
    assert [one.get(NS, "n") for one in both] == [value + 1, value + 1]
    assert_alike(a, b)


def test_a_delta_holds_what_is_news_and_no_more(both: tuple[Memory, Memory]) -> None:
    a, b = both
    a.put_many([Put(NS, f"k{n:03}", n) for n in range(100)])
    send(a, b)
    a.put(NS, "k007", "new")
    a.delete(NS, "k008")
    b.put("other", "theirs", 1)
    assert send(a, b).keys == 2
    assert send(a, b).keys == 0
    assert send(b, a).keys == 1
    assert_alike(a, b)


@pytest.mark.parametrize("repeats", [1, 2])
def test_late_and_repeated_deltas_change_nothing(both: tuple[Memory, Memory], repeats: int) -> None:
    a, b = both
    a.put(NS, "k", 1)
    a.put(NS, "gone", 1)
    late = pages_of(a)
    a.put(NS, "k", 2)
    a.delete(NS, "gone")
    newer = pages_of(a)
    apply(b.store, newer)
    for _ in range(repeats):
        assert apply(b.store, late)[2:5] == (0, 0, 0)
        assert apply(b.store, newer)[2:5] == (0, 0, 0)
    assert_alike(a, b)


def test_a_namespace_learns_that_keys_have_siblings(both: tuple[Memory, Memory]) -> None:
    a, b = both
    a.put(NS, "k", "a")
    b.put(NS, "k", "b")
    b.put(NS, "other", 1)
    assert b.get(NS, "k") == "b"
    before = b.store.meta().config
    send(a, b)
    assert b.store.meta().config > before
    assert b.store.namespaces.find(NS)[0] in b.store.namespaces.contested  # type: ignore[index]
    assert sorted(one.value for one in b.siblings(NS, "k")) == ["a", "b"]
    sync(a, b)
    assert a.get(NS, "k") == b.get(NS, "k")
    assert_alike(a, b)
