"""Leases as agents use them: modes, tokens, what a lost lease may not do any more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.errors import (
    AccessDenied,
    InvalidName,
    LeaseHeld,
    LeaseReads,
    LimitExceeded,
    StaleLease,
    StoreDamaged,
)
from memtend.limits import LEASE_TTL_MS_MAX
from memtend.memory import Memory
from memtend.model.dot import Dot
from memtend.model.lease import Fence, Lease, Mode
from memtend.model.names import MAINTENANCE
from memtend.store.audit import entries
from memtend.store.lease_desk import force_release
from tests.fixtures.leases import let_pass
from tests.fixtures.stores import run_sql

TTL = 60_000
NS = "deploy/web"


def take(memory: Memory, holder: str, mode: Mode = Mode.EXCLUSIVE, resource: str = NS) -> Lease:
    return memory.leases.acquire(resource, TTL, mode, wait_s=0, holder=holder)


def test_readers_share_writers_do_not_and_one_alone_is_alone(memory: Memory) -> None:
    readers = [take(memory, name, Mode.READ) for name in "ab"]
    writer = take(memory, "c", Mode.WRITE)
    with pytest.raises(LeaseHeld, match="'c'"):
        take(memory, "d", Mode.WRITE)
    with pytest.raises(LeaseHeld, match="'a, b, c'"):
        take(memory, "d", Mode.EXCLUSIVE)
    for lease in (*readers, writer):
        assert memory.leases.release(lease)
    alone = take(memory, "d")
    for mode in Mode:
        with pytest.raises(LeaseHeld, match="'d' for another 60"):
            take(memory, "e", mode)
    tokens = [lease.fence.n for lease in (*readers, writer, alone)]
    assert tokens == [1, 2, 3, 4]


def test_a_late_reader_does_not_end_the_writer(memory: Memory) -> None:
    """Greater tokens of readers say nothing against a writer: he goes with them."""
    writer = take(memory, "a", Mode.WRITE)
    take(memory, "b", Mode.READ)
    memory.put(NS, "k", 1, lease=writer)
    assert memory.get(NS, "k") == 1


WRITES: dict[str, Callable[[Memory, Lease], object]] = {
    "put": lambda m, x: m.put(NS, "k", 2, lease=x),
    "put_many": lambda m, x: m.put_many([Put(NS, "k", 2)], lease=x),
    "put_if": lambda m, x: m.put_if(NS, "k", 2, [Dot("0" * 32, 1)], lease=x),
    "update": lambda m, x: m.update(NS, "k", lambda value: value + 1, lease=x),
    "delete": lambda m, x: m.delete(NS, "k", lease=x),
    "touch": lambda m, x: m.touch(NS, "k", 90_000, lease=x),
    "increment": lambda m, x: m.increment(NS, "count", lease=x),
    "set_counter": lambda m, x: m.set_counter(NS, "count", 5, lease=x),
    "touch of a counter": lambda m, x: m.touch(NS, "count", 90_000, lease=x),
    "add": lambda m, x: m.add(NS, "set", "b", lease=x),
    "remove": lambda m, x: m.remove(NS, "set", "a", lease=x),
    "put_field": lambda m, x: m.put_field(NS, "map", "f", 2, lease=x),
    "delete_field": lambda m, x: m.delete_field(NS, "map", "f", lease=x),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_every_write_can_be_guarded(
    memory: Memory, clock: ManualClock, write: Callable[[Memory, Lease], object]
) -> None:
    memory.put(NS, "k", 1)
    memory.increment(NS, "count")
    memory.add(NS, "set", "a")
    memory.put_field(NS, "map", "f", 1)
    ran_out = take(memory, "one")
    let_pass(memory, clock, TTL)
    before = memory.store.meta()
    with pytest.raises(StaleLease):
        write(memory, ran_out)
    newer = take(memory, "two")
    reader = take(memory, "three", Mode.READ, "other")
    with pytest.raises(StaleLease):
        write(memory, ran_out)
    with pytest.raises(LeaseReads):
        write(memory, reader)
    assert memory.store.meta() == before
    if write is not WRITES["put_if"]:
        write(memory, newer)
        assert memory.store.meta().n > before.n


def test_a_forced_release_ends_it_raises_the_token_and_is_audited(memory: Memory) -> None:
    lost = take(memory, "hung")
    assert force_release(memory.store, NS, "operator") == 1
    with pytest.raises(StaleLease):
        memory.put(NS, "k", 1, lease=lost)
    assert take(memory, "next").fence.n == lost.fence.n + 2
    with memory.store.engine.snapshot() as reader:
        [last] = [entry for entry, _ in entries(reader, 0)]
    assert (last.actor, last.action, last.detail) == ("operator", "lease", f"{NS} taken from hung")


def test_tokens_outlive_release_and_expiry(memory: Memory, clock: ManualClock) -> None:
    seen = []
    for round_ in range(6):
        lease = take(memory, "a", list(Mode)[round_ % 3])
        seen.append(lease.fence)
        if round_ % 2:
            memory.leases.release(lease)
        else:
            let_pass(memory, clock, TTL)
    assert seen == [Fence(0, n) for n in range(1, 7)]


def test_what_is_outside_of_the_store_asks_for_the_token(memory: Memory) -> None:
    """Granted here: the newest writer's only. Granted elsewhere: never smaller than before."""
    first = take(memory, "one")
    memory.leases.accept(NS, first.fence)
    memory.leases.release(first)
    memory.leases.accept(NS, first.fence)  # nobody else was let in
    reader = take(memory, "reader", Mode.READ)
    second = take(memory, "two", Mode.WRITE)
    memory.leases.accept(NS, second.fence)
    epochs = Fence(second.fence.epoch + 1, 1), Fence(second.fence.epoch, 99)
    for fence in (first.fence, reader.fence, *epochs):
        with pytest.raises(StaleLease):
            memory.leases.accept(NS, fence)
    for fence in (Fence(0, 4), Fence(0, 4), Fence(2, 1)):
        memory.leases.accept("printer", fence)
    with pytest.raises(StaleLease):
        memory.leases.accept("printer", Fence(1, 9))


def test_names_and_bounds(memory: Memory) -> None:
    leases = memory.leases
    for resource in (MAINTENANCE, f"{MAINTENANCE}/x", "", "with space"):
        with pytest.raises(InvalidName):
            leases.acquire(resource)
    for holder in ("", "x" * 300, "two\nlines"):
        with pytest.raises(InvalidName):
            leases.acquire(NS, holder=holder)
    for ttl_ms in (0, -1, LEASE_TTL_MS_MAX + 1):
        with pytest.raises(LimitExceeded):
            leases.acquire(NS, ttl_ms)
    for wait_s in (-1, float("nan"), float("inf")):
        with pytest.raises(LimitExceeded):
            leases.acquire(NS, wait_s=wait_s)
        with pytest.raises(LimitExceeded), leases.multi([NS], wait_s=wait_s):
            pass
    for n in (-1, 2**63):
        with pytest.raises(LimitExceeded):
            leases.accept(NS, Fence(0, n))
    with pytest.raises(InvalidName, match="mode 'shared'"):
        leases.acquire(NS, mode="shared")  # type: ignore[arg-type]
    assert leases.held() == []
    leases.acquire(NS, 60_000.0)  # type: ignore[arg-type]
    assert len(leases.held()) == 1


def test_leases_follow_grants(memory: Memory) -> None:
    """To read needs the right to read the namespace of that name; the others, to write in it."""
    memory.config.grant("alice", "deploy/**", "write", "operator")
    memory.config.grant("bob", "deploy/**", "read", "operator")
    alice, bob = (Memory(memory.store, agent=name) for name in ("alice", "bob"))
    with alice.lease(NS, wait_s=0) as held:
        assert [one.resource for one in bob.leases.held()] == [NS]
        assert held.holder.startswith("alice ")
    with bob.lease(NS, mode="read", wait_s=0):
        pass
    for refused in (
        lambda: bob.leases.acquire(NS),
        lambda: bob.leases.accept(NS, Fence(0, 1)),
        lambda: alice.leases.acquire("other", mode="read"),
    ):
        with pytest.raises(AccessDenied):
            refused()
    take(memory, "owner", resource="other")
    assert bob.leases.held() == []


def test_a_damaged_row_grants_nothing(damageable: Memory) -> None:
    lease = take(damageable, "one")
    for table in ("lease", "lease_grant"):
        [(crc,)] = run_sql(damageable, f"SELECT crc FROM {table}")
        run_sql(damageable, f"UPDATE {table} SET crc = crc + 1")
        with pytest.raises(StoreDamaged):
            take(damageable, "two")
        run_sql(damageable, f"UPDATE {table} SET crc = {crc}")
    run_sql(damageable, "UPDATE lease_grant SET holder = 'two'")
    with pytest.raises(StoreDamaged):
        damageable.put(NS, "k", 1, lease=lease.model_copy(update={"holder": "two"}))


def test_a_clock_that_goes_back_grants_nothing_early(store_url: str, clock: ManualClock) -> None:
    """And whoever was replaced stays replaced, though his time would not be over yet."""
    with Memory.open(store_url, clock=clock) as memory:
        first = take(memory, "one")
        let_pass(memory, clock, TTL)
        second = take(memory, "two")
        clock.jump(-2 * TTL)
        clock.accept()
        with pytest.raises(LeaseHeld, match="two"):
            take(memory, "three")
        with pytest.raises(StaleLease):
            memory.put(NS, "k", 1, lease=first)
        memory.put(NS, "k", 2, lease=second)
