"""Identity and history: dots, timestamps, the version vector, the log (CRDT_SPEC 1, 2, 5)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtend.clock import ManualClock
from memtend.codec.envelope import unpack
from memtend.drafting import Put
from memtend.explain import explain
from memtend.limits import SWEEP_MARGIN_MS
from memtend.memory import Memory
from memtend.model.stored import LogRow, StoredRow
from memtend.store.expiry import drop_expired, expired
from memtend.store.snapshot import snapshot
from memtend.store.verify import verify_store
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.stores import beside, run_sql

NS = "a/b"


def stored(memory: Memory) -> list[StoredRow]:
    with snapshot(memory.store) as view:
        return list(view.rows())


def logged(memory: Memory) -> list[LogRow]:
    with snapshot(memory.store) as view:
        return list(view.log())


def vector(memory: Memory) -> dict[str, int]:
    with snapshot(memory.store) as view:
        return view.state.vv


def sweep(memory: Memory) -> None:
    drop_expired(memory.store, [row.seq for row in expired(memory.store, 99)], actor="sweep")


def test_each_mutation_mints_one_dot_without_gaps(memory: Memory, clock: ManualClock) -> None:
    own = memory.store.own_replica()
    dots = [memory.put(NS, "k", 1), *memory.put_many([Put(NS, f"m{n}", n) for n in range(3)])]
    dots.append(memory.put_if(NS, "k", 2, [dots[0]]))
    memory.delete(NS, "m0")  # 6
    memory.increment(NS, "n")  # 7
    dots.append(memory.add(NS, "s", 1))
    memory.remove(NS, "s", 1)  # 9
    touched = memory.touch(NS, "k", 5)
    assert touched is not None
    clock.advance(5 + SWEEP_MARGIN_MS)
    sweep(memory)  # drops, mints nothing
    dots += [touched, memory.put(NS, "last", 1)]
    assert [dot.n for dot in dots] == [1, 2, 3, 4, 5, 8, 10, 11]
    assert {dot.replica for dot in dots} == {own}
    assert vector(memory) == {own: 11}
    assert all(unpack(row.body).n <= 11 for row in stored(memory))


def test_a_refused_write_mints_nothing(memory: Memory) -> None:
    first = memory.put(NS, "k", 1)
    for _ in range(3):
        with pytest.raises(Exception, match="changed"):
            memory.put_if(NS, "k", 2, [])
        memory.delete(NS, "absent")
    assert memory.put(NS, "k", 2).n == first.n + 1


@pytest.mark.parametrize("jump_ms", [0, -(10**9), 10**9])
def test_timestamps_rise_whatever_the_clock_does(memory: Memory, jump_ms: int) -> None:
    clock = memory.store.clock
    assert isinstance(clock, ManualClock)
    stamps = []
    for n in range(5):
        memory.put_many([Put(NS, f"k{n}", 1), Put(NS, f"j{n}", 1)])
        stamps.append(memory.store.meta().hlc)
        clock.jump(jump_ms)
        clock.advance(n % 2)
    assert stamps == sorted(set(stamps))
    rows = sorted(stored(memory), key=lambda row: row.seq)
    assert len({row.seq for row in rows}) == 10


def test_a_restart_with_the_clock_set_back_gives_no_smaller_timestamp(lasting_url: str) -> None:
    with Memory.open(lasting_url, clock=ManualClock(2_000_000)) as memory:
        memory.put(NS, "k", "old")
        before = memory.store.meta()
    with Memory.open(lasting_url, clock=ManualClock(1_000_000, seed=1)) as memory:
        memory.put(NS, "k", "new")
        after = memory.store.meta()
        assert after.hlc > before.hlc
        assert (after.n, after.seq) == (before.n + 1, before.seq + 1)
        assert after.store_id == before.store_id
        assert memory.get(NS, "k") == "new"
        assert verify_store(memory.store).ok


def test_deletes_and_sweeps_are_remembered(memory: Memory, clock: ManualClock) -> None:
    own = memory.store.own_replica()
    memory.put(NS, "deleted", 1)
    memory.delete(NS, "deleted")
    memory.put(NS, "swept", 1, ttl_ms=10)
    memory.put(NS, "replaced", 1)
    memory.put(NS, "replaced", 2)
    clock.advance(10 + SWEEP_MARGIN_MS)
    sweep(memory)
    log = logged(memory)
    assert [(row.key, row.replica, row.n) for row in log] == [
        ("deleted", own, 2),
        ("swept", own, 3),
    ]
    ended = explain(memory, NS, "swept").endings
    assert [(end.why, end.replica) for end in ended] == [("swept", own)]
    assert explain(memory, NS, "deleted").state == "gone"


def test_the_log_keeps_the_newest_event_of_a_replica(memory: Memory, clock: ManualClock) -> None:
    for _ in range(3):
        memory.put(NS, "k", 1)
        memory.delete(NS, "k")
    assert [row.n for row in logged(memory)] == [6]
    for n in range(2):
        beside(memory, NS, "s", n, ttl_ms=10)
    clock.advance(10 + SWEEP_MARGIN_MS)
    sweep(memory)
    assert [row.n for row in logged(memory)] == [6, 8]


def test_every_change_has_a_sequence_number_of_its_own(memory: Memory, clock: ManualClock) -> None:
    memory.put_many([Put(NS, f"k{n}", n, ttl_ms=10) for n in range(5)])
    memory.delete(NS, "k0")
    clock.advance(10 + SWEEP_MARGIN_MS)
    sweep(memory)
    assert stored(memory) == []
    assert [row.seq for row in sorted(logged(memory), key=lambda row: row.seq)] == [6, 7, 7, 7, 7]
    assert memory.store.meta().seq == 7


def test_a_snapshot_stands_still(memory: Memory) -> None:
    memory.put(NS, "k", 1)
    with snapshot(memory.store) as view:
        memory.put(NS, "k", 2)
        memory.put("other", "k", 3)
        assert view.state.seq == 1
        assert (view.records, [row.value for row in view.rows()]) == (1, [b"1"])
        assert list(view.log()) == []
    assert [row.value for row in stored(memory)] == [b"2", b"3"]


@settings(max_examples=10)
@given(st.lists(st.sampled_from(["a/x", "a", "b/x"]), min_size=1, max_size=8))
def test_rows_come_in_one_order_on_every_engine(names: list[str]) -> None:
    with Memory.open("sqlite://", clock=ManualClock()) as memory:
        for n, name in enumerate(names):
            beside(memory, name, f"k{n % 2}", n)
            memory.add(name, "s", n % 3)
        rows = stored(memory)
        order = [(r.namespace, r.key, r.field, unpack(r.body).dot) for r in rows]
        assert order == sorted(order)


def copy(path: Path, to: Path) -> str:
    for suffix in ("", ".key"):
        shutil.copy(f"{path}{suffix}", f"{to}{suffix}")
    return f"sqlite:///{to}"


def test_a_copied_file_is_a_new_replica(tmp_path: Path, clock: ManualClock) -> None:
    url = f"sqlite:///{tmp_path}/one.db"
    with Memory.open(url, clock=clock) as memory:
        memory.put(NS, "k", "one")
        memory.increment(NS, "n", 5)
        first, store_id = memory.store.own_replica(), memory.store.meta().store_id
    with Memory.open(url, clock=clock) as memory:
        assert memory.store.own_replica() == first
    other = copy(tmp_path / "one.db", tmp_path / "two.db")
    with Memory.open(other, clock=clock) as memory:
        second = memory.store.own_replica()
        assert second != first
        assert memory.store.meta().store_id == store_id
        assert vector(memory) == {first: 2}
        dot = memory.put(NS, "k", "two")
        assert (dot.replica, dot.n) == (second, 1)
        assert vector(memory) == {first: 2, second: 1}
        assert memory.increment(NS, "n", 2) == 7
        assert len(stored(memory)) == 3
        assert verify_store(memory.store).ok
    third = copy(tmp_path / "two.db", tmp_path / "three.db")
    with Memory.open(third, clock=clock) as memory:
        assert memory.store.own_replica() not in (first, second)
        assert vector(memory) == {first: 2, second: 2}
        assert memory.increment(NS, "n", 1) == 8
        assert memory.set_counter(NS, "n", 1) == 1
        assert memory.increment(NS, "n", 1) == 2


def test_parts_of_a_counter_from_two_replicas_expire_together(
    tmp_path: Path, clock: ManualClock
) -> None:
    with Memory.open(f"sqlite:///{tmp_path}/one.db", clock=clock) as memory:
        memory.increment(NS, "n", 5)
        memory.touch(NS, "n", 1_000)
    with Memory.open(copy(tmp_path / "one.db", tmp_path / "two.db"), clock=clock) as memory:
        clock.advance(900)
        memory.increment(NS, "n", 2)
        memory.touch(NS, "n", 1_000_000)
        assert len(stored(memory)) == 2
        clock.advance(100 + SWEEP_MARGIN_MS)
        assert memory.get(NS, "n") == 7
        sweep(memory)
        assert memory.get(NS, "n") == 7


def test_a_copied_database_is_a_new_replica(
    postgres_server: PostgresServer, postgres_url: str, clock: ManualClock
) -> None:
    with Memory.open(postgres_url, clock=clock) as memory:
        memory.put(NS, "k", 1)
        first = memory.store.own_replica()
    template = postgres_url.rpartition("/")[2]
    with postgres_server.database(template) as url, Memory.open(url, clock=clock) as memory:
        assert memory.store.own_replica() != first
        assert vector(memory) == {first: 1}
        assert memory.put(NS, "k", 2).n == 1
        assert verify_store(memory.store).ok


def test_two_stores_have_different_names(tmp_path: Path) -> None:
    ids = set()
    for n in range(2):
        with Memory.open(f"sqlite:///{tmp_path}/{n}.db", clock=ManualClock(seed=n)) as memory:
            ids |= {memory.store.meta().store_id, memory.store.own_replica()}
    assert len(ids) == 4


def test_the_audit_trail_names_every_change(memory: Memory) -> None:
    agent = Memory(memory.store, agent="scout")
    agent.put(NS, "k", 1)
    agent.add(NS, "s", 1)
    agent.put_many([Put(NS, "a", 1), Put(NS, "b", 2)])
    agent.delete(NS, "k")
    entries = run_sql(memory, "SELECT n, action, actor, detail FROM audit ORDER BY n")
    assert [(n, action, actor) for n, action, actor, _ in entries] == [
        (1, "put", "scout"), (2, "add", "scout"), (3, "put", "scout"), (4, "delete", "scout"),
    ]  # fmt: skip
    assert entries[0][3] == "a/b/k"
    assert entries[1][3].startswith("a/b/s#")
    assert entries[2][3] == "2 records, changes 3 to 4"
