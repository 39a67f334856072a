"""A state is loaded beside the live store and takes its place; the old one can come back.

Everything here holds on each engine. What is loaded is a snapshot of a store, as a backup has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import NothingKept, StaleLease
from memtend.memory import Memory
from memtend.model.lease import Lease
from memtend.model.record import Labels
from memtend.model.stored import StoreState
from memtend.store import leases
from memtend.store.adapting import Deed, Reached, look
from memtend.store.beside import beside as building
from memtend.store.building import Contents, load
from memtend.store.snapshot import Snapshot, snapshot
from memtend.store.swapping import Swapped, bring_back, drop_kept, kept_stores, newest_kept, swap
from memtend.store.verify import verify_store
from tests.fixtures.stores import beside

DEED = Deed("test", {"manifest": "none"})
HOUR_MS = 3_600_000


def contents(view: Snapshot) -> Contents:
    return Contents(
        list(view.rows()), list(view.log()), list(view.side()), list(view.audit()),
        list(view.access()), lambda: view.state,
    )  # fmt: skip


def taken(memory: Memory) -> Contents:
    """All of a store, as a backup would hold it."""
    memory.flush()
    with snapshot(memory.store) as view:
        return contents(view)


def put_back(
    memory: Memory, state: Contents, deed: Deed = DEED, lease: Lease | None = None
) -> Swapped:
    """Load a state beside the store and swap it in."""
    store = memory.store
    built = building(store.engine, store.clock.new_id())
    try:
        with built.loading() as tx:
            now_ms, file_id = store.clock.now_ms(), built.engine.file_id()
            load(tx, state, look(store.engine).numbers, now_ms=now_ms, file_id=file_id)
        return swap(store, built, deed, lease=lease, keep_ms=24 * HOUR_MS)
    finally:
        built.discard()


def state_of(memory: Memory) -> StoreState:
    with snapshot(memory.store) as view:
        return view.state


def fill(memory: Memory) -> None:
    """One of everything that a store can hold."""
    memory.put("a/b", "plain", {"n": 1}, labels=Labels(tags=("red",), agent="ann", session="s1"))
    memory.put("a/b", "large", ["long text " * 300])
    beside(memory, "a/b", "torn", 1)
    beside(memory, "a/b", "torn", 2)
    memory.increment("counts", "seen", 3)
    memory.add("sets", "colours", "red")
    memory.add("sets", "colours", "blue")
    memory.put("short", "lived", 1, ttl_ms=1_000)
    memory.put("a/b", "gone", 1)
    memory.delete("a/b", "gone")
    memory.get("a/b", "plain")
    memory.config.grant("ann", "a/**", "write", "test")
    memory.flush()


def seen(memory: Memory) -> dict[str, object]:
    return {
        "plain": memory.get("a/b", "plain"),
        "large": memory.get("a/b", "large"),
        "torn": [r.value for r in memory.siblings("a/b", "torn")],
        "count": memory.get("counts", "seen"),
        "set": memory.members("sets", "colours"),
        "short": memory.get("short", "lived"),
        "gone": memory.get("a/b", "gone"),
        "red": memory.tagged("red"),
    }


def test_what_was_loaded_is_what_was_taken(memory: Memory) -> None:
    """Rows, log, settings and reads come back; the sum and the row hashes are the same."""
    fill(memory)
    before, shown = taken(memory), seen(memory)
    memory.put("a/b", "plain", "changed")
    memory.put("new/place", "x", 1)
    memory.increment("counts", "seen", 5)
    put_back(memory, before)
    assert seen(memory) == shown
    assert memory.get("new/place", "x") is None
    after = taken(memory)
    assert after.rows == before.rows
    assert after.log == before.log
    assert after.state().sum == before.state().sum
    assert [r for r in after.side if r.table != "setting"] == list(before.side)
    assert memory.config.grants


def test_a_restored_store_is_a_new_line_of_history(memory: Memory) -> None:
    """New id, higher lease epoch, sequence and clock above all, an audit entry (8.2, 8.5)."""
    fill(memory)
    before = taken(memory)
    memory.put("a/b", "later", 1)
    live = state_of(memory)
    swapped = put_back(memory, before)
    after = state_of(memory)
    assert after.replica not in before.state().vv
    assert after.vv == before.state().vv
    assert after.store_id == before.state().store_id
    assert (after.seq, after.hlc) == (live.seq + 1, live.hlc)
    assert after.lease_epoch == live.lease_epoch + 1
    assert swapped.before.meta.audit_n == live.audit_n
    assert after.audit_n == before.state().audit_n + 1
    [entry] = memory.store.engine.read("audits", (before.state().audit_n, 10))
    assert entry[2:4] == ("restore", "test")
    assert f"{live.audit_n}:{live.audit_head.hex()}" in entry[4]
    assert memory.put("a/b", "next", 1).replica == after.replica


def test_everybody_raises_the_epoch(memory: Memory) -> None:
    fill(memory)
    put_back(memory, taken(memory), DEED._replace(everybody=True, reached=Reached(epoch=4)))
    assert memory.store.meta().epoch == 5


def test_leases_from_before_are_worth_nothing_and_tokens_go_on(memory: Memory) -> None:
    fill(memory)
    before = taken(memory)
    old = [leases.acquire(memory.store, "door", f"h{n}", 0) for n in range(3)]
    held = leases.acquire(memory.store, "door", "late", HOUR_MS)
    put_back(memory, before)
    with pytest.raises(StaleLease), memory.store.change("test", lease=held):
        pass
    fresh = leases.acquire(memory.store, "door", "new", HOUR_MS)
    assert fresh.fence > held.fence > old[-1].fence
    assert fresh.fence.n == held.fence.n + 1


def test_a_lost_lease_stops_the_swap(memory: Memory, clock: ManualClock) -> None:
    fill(memory)
    before, shown = taken(memory), seen(memory)
    lease = leases.acquire(memory.store, "maintenance", "one", 10)
    leases.release(memory.store, lease)
    leases.acquire(memory.store, "maintenance", "two", HOUR_MS)
    with pytest.raises(StaleLease):
        put_back(memory, before, lease=lease)
    assert seen(memory) == shown
    assert kept_stores(memory.store.engine) == []


def test_the_old_store_comes_back(memory: Memory, clock: ManualClock) -> None:
    """Undo, and undo of the undo; names given out meanwhile keep their numbers."""
    fill(memory)
    before = taken(memory)
    memory.put("a/b", "plain", "changed")
    changed = seen(memory)
    swapped = put_back(memory, before)
    restored = seen(memory)
    memory.put("since/then", "x", 1)
    ids = dict(memory.store.namespaces.ids)
    clock.advance(5)
    again = bring_back(memory.store, newest_kept(memory.store), DEED, lease=None, keep_ms=HOUR_MS)
    assert seen(memory) == changed
    assert memory.get("since/then", "x") is None
    memory.store.namespaces.load()
    assert memory.store.namespaces.ids == ids
    assert verify_store(memory.store).ok
    assert len({swapped.replica, again.replica, before.state().replica}) == 3
    clock.advance(5)
    bring_back(memory.store, newest_kept(memory.store), DEED, lease=None, keep_ms=1)
    assert seen(memory) == restored
    assert memory.get("since/then", "x") == 1


def test_what_is_kept_ends(memory: Memory, clock: ManualClock) -> None:
    fill(memory)
    put_back(memory, taken(memory))
    assert len(kept_stores(memory.store.engine)) == 1
    assert drop_kept(memory.store.engine, clock.now_ms()) == []
    clock.advance(24 * HOUR_MS)
    assert len(drop_kept(memory.store.engine, clock.now_ms())) == 1
    with pytest.raises(NothingKept):
        newest_kept(memory.store)


@contextmanager
def another(url: str, clock: ManualClock) -> Iterator[Memory]:
    with Memory.open(url, clock=clock, create=False) as opened:
        yield opened


def test_others_who_have_it_open_notice(lasting_url: str, clock: ManualClock) -> None:
    """Names and policies that they have learnt stay right, and their next write is the new line's.

    The other one has seen a namespace that the backup does not have, and the backup has one whose
    number the other has never seen.
    """
    with Memory.open(lasting_url, clock=clock) as memory, another(lasting_url, clock) as other:
        fill(memory)
        before = taken(memory)
        other.put("only/here", "x", 1)
        other.get("a/b", "plain")
        put_back(memory, before)
        assert seen(other) == seen(memory)
        assert other.get("only/here", "x") is None
        dot = other.put("only/here", "x", 2)
        assert dot.replica == memory.store.own_replica()
        assert memory.get("only/here", "x") == 2
        assert verify_store(memory.store).ok


def test_a_new_line_from_elsewhere(lasting_url: str, clock: ManualClock, tmp_path: Path) -> None:
    """A store with another history and another audit key takes the place; its trail is vouched for.

    From then on the trail is checked under this store's key: a change to what came before shows.
    """
    with Memory.open(f"sqlite:///{tmp_path}/elsewhere.db", clock=ManualClock(seed=9)) as elsewhere:
        fill(elsewhere)
        state, shown = taken(elsewhere), seen(elsewhere)
    with Memory.open(lasting_url, clock=clock) as memory:
        memory.put("mine", "x", 1)
        put_back(memory, state)
        assert seen(memory) == shown
        report = verify_store(memory.store)
        assert report.ok, report.findings
        memory.store.engine.script("UPDATE audit SET detail = 'x' WHERE n = 2")
        assert not verify_store(memory.store).ok
