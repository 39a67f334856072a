"""What changed since a point of the change sequence: all of it, and nothing but it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.limits import SWEEP_MARGIN_MS
from memtend.memory import Memory
from memtend.model.record import Labels, Trust
from memtend.model.stored import LogRow, StoredRow
from memtend.store.expiry import drop_expired, expired
from memtend.store.quarantine import mark_writer
from memtend.store.snapshot import snapshot
from memtend.store.verify import verify_store
from tests.fixtures.stores import run_sql

NS = "a/b"
Path: TypeAlias = tuple[str, str, str]
State: TypeAlias = dict[Path, list[StoredRow]]


def by_path(rows: Iterable[StoredRow]) -> State:
    found = list(rows)
    assert found == sorted(found, key=lambda row: row[:3])
    return {path: list(group) for path, group in groupby(found, key=lambda row: row[:3])}


def state(memory: Memory) -> State:
    with snapshot(memory.store) as view:
        return by_path(view.rows())


def seq(memory: Memory) -> int:
    return memory.store.meta().seq


def replay(before: State, memory: Memory, after: int) -> State:
    """`before` with every path that was touched since replaced as a whole."""
    with snapshot(memory.store) as view:
        changed, ended = by_path(view.changed_rows(after)), list(view.log(after))
    touched = set(changed) | {entry[:3] for entry in ended}
    kept = {path: rows for path, rows in before.items() if path not in touched}
    return dict(sorted((kept | changed).items()))


def sweep(memory: Memory) -> None:
    drop_expired(memory.store, [row.seq for row in expired(memory.store, 99)], actor="sweep")


def act(memory: Memory, clock: ManualClock, step: int, key: str) -> None:
    """One of the ways in which a store changes."""
    match step % 9:
        case 0:
            memory.put(NS, key, step, labels=Labels(writer="w"))
        case 1:
            memory.put("c", key, step, ttl_ms=50)
        case 2:
            memory.put(NS, key, step, ctx={}, ttl_ms=step + 1)  # beside what is there
        case 3:
            memory.delete(NS, key)
        case 4:
            memory.put_many([Put("d", f"{key}{n}", n) for n in range(3)])
        case 5:
            clock.advance(60 + SWEEP_MARGIN_MS)
            sweep(memory)
        case 6:
            mark_writer(memory.store, "w", Trust.QUARANTINED, actor="operator")
        case 7:
            memory.increment("n", key, step + 1)
        case 8:
            memory.add("s", key, step)


STEPS = st.lists(st.tuples(st.integers(0, 80), st.sampled_from("kl")), max_size=12)


@settings(max_examples=40, deadline=None)
@given(STEPS, STEPS)
def test_a_state_and_what_changed_since_give_the_next_state(
    first: list[tuple[int, str]], then: list[tuple[int, str]]
) -> None:
    clock = ManualClock()
    with Memory.open("sqlite://", clock=clock) as memory:
        for step, key in first:
            act(memory, clock, step, key)
        before, after = state(memory), seq(memory)
        for step, key in then:
            act(memory, clock, step, key)
        assert replay(before, memory, after) == state(memory)
        assert verify_store(memory.store).ok


def test_each_kind_of_change_is_found_on_each_engine(memory: Memory, clock: ManualClock) -> None:
    before, after = state(memory), 0
    for step in (0, 1, 2, 4, 7, 8, 3, 2, 5, 6):
        act(memory, clock, step, "k")
        now = state(memory)
        assert replay(before, memory, after) == now
        before, after = now, seq(memory)
    with snapshot(memory.store) as view:
        assert not list(view.changed_rows(after))
        assert not list(view.log(after))


def test_the_second_of_two_siblings_to_be_swept_is_a_change_too(
    memory: Memory, clock: ManualClock
) -> None:
    memory.put(NS, "k", "stays longer", ttl_ms=1_000_000)
    memory.put(NS, "k", "ends first", ctx={}, ttl_ms=10)
    clock.advance(10 + SWEEP_MARGIN_MS)
    sweep(memory)
    before, after = state(memory), seq(memory)
    clock.advance(1_000_000)
    sweep(memory)
    assert len(before[NS, "k", ""]) == 1
    assert replay(before, memory, after) == {}


def test_a_log_entry_says_when_and_why(memory: Memory, clock: ManualClock) -> None:
    memory.put(NS, "k", 1)
    memory.delete(NS, "k")
    own, now_ms = memory.store.own_replica(), clock.now_ms()
    with snapshot(memory.store) as view:
        assert list(view.log()) == [LogRow(NS, "k", "", own, 2, 2, now_ms, "deleted")]


def test_the_small_tables_are_the_same_on_each_engine(memory: Memory) -> None:
    memory.config.grant("scout", "a/**", "read", "operator")
    memory.put(NS, "k", 1)
    memory.get(NS, "k")
    memory.flush()
    with snapshot(memory.store) as view:
        assert [row[:3] for row in view.side()] == [("access_grant", "scout", "a/**\0read")]
        assert [row[:3] for row in view.access()] == [("access", NS, "k")]
        assert [row.name for row in view.audit()] == [f"{n:020d}" for n in (1, 2)]
        assert [row.name for row in view.audit(1)] == [f"{2:020d}"]
        assert view.seal_of(view.state.audit_n) == view.state.audit_head
        assert view.seal_of(99) is None


def test_a_record_that_vanished_is_noticed(damageable: Memory) -> None:
    memory = damageable
    for n in range(3):
        memory.put(NS, f"k{n}", n)
    run_sql(memory, "DELETE FROM sibling WHERE key = 'k1'")
    found = [finding.where for finding in verify_store(memory.store).findings]
    assert "meta" in found
