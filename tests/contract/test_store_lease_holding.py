"""Holding a lease while working: kept, lost, given back; in threads and in an event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from threading import Event, Thread

import pytest

from memtend.clock import to_ms
from memtend.errors import LeaseHeld, StaleLease
from memtend.leasing import HeldLease
from memtend.limits import LEASE_BEATS
from memtend.memory import Memory
from memtend.store.lease_desk import force_release
from memtend.store.lease_heart import Heart
from memtend.store.lease_rows import clock_ms

TTL = 2_400
R = "job"


@pytest.fixture
def memory(store_url: str) -> Iterator[Memory]:
    """On the real clock: here it is waited for."""
    with Memory.open(store_url) as opened:
        yield opened


def holders(memory: Memory) -> list[str]:
    return [lease.holder for one in memory.leases.held() for lease in one.leases]


def until(true: Callable[[], object]) -> None:
    while not true():
        time.sleep(0.005)


def database_ms(memory: Memory) -> int:
    """By which leases end. Their holders count from before they asked, and stop earlier."""
    return clock_ms(memory.store, memory.store.engine.read("lease_now"))


async def until_later(true: Callable[[], object]) -> None:
    while not await asyncio.to_thread(true):
        await asyncio.sleep(0.005)


def test_a_lease_is_kept_for_as_long_as_the_work_takes(memory: Memory) -> None:
    with memory.lease(R, ttl_ms=TTL) as lease:
        until(lambda: (lease.until - lease.expires_at).total_seconds() * 1_000 > TTL / 2)
        assert not lease.lost
        memory.put("n", "k", 1, lease=lease)
        with pytest.raises(LeaseHeld):
            memory.leases.acquire(R, wait_s=0, holder="another")
    assert holders(memory) == []


def test_without_renewal_it_runs_out_and_the_end_says_so(memory: Memory) -> None:
    def work() -> None:
        with memory.lease(R, ttl_ms=30, renew=False) as lease:
            until(lambda: lease.lost and database_ms(memory) >= to_ms(lease.until))
            for act in (lambda: memory.put("n", "k", 1, lease=lease), lease.renew):
                with pytest.raises(StaleLease):
                    act()

    with pytest.raises(StaleLease):
        work()


def test_a_lease_that_is_taken_away_is_noticed(memory: Memory) -> None:
    def work() -> None:
        with memory.lease(R, ttl_ms=TTL) as lease:
            force_release(memory.store, R, "operator")
            until(lambda: lease.lost)

    with pytest.raises(StaleLease):
        work()


@pytest.mark.parametrize("lost", [True, False])
def test_an_error_in_the_block_comes_out_and_the_lease_is_given_back(
    memory: Memory, lost: bool
) -> None:
    def work() -> None:
        with memory.lease(R):
            if lost:
                force_release(memory.store, R, "operator")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert holders(memory) == []


def test_a_hand_renewed_lease(memory: Memory) -> None:
    lease = memory.leases.acquire(R, TTL)
    longer = memory.leases.renew(lease, 60_000)
    assert longer.fence == lease.fence
    assert memory.leases.release(lease)
    with memory.lease(R, ttl_ms=TTL, renew=False) as held:
        before = held.until
        held.renew()
        assert held.until >= before
        assert held.expires_at == before


def test_a_heart_leaves_no_connection_behind(postgres_url: str) -> None:
    with Memory.open(postgres_url) as memory:
        connections = memory.store.engine._connections  # type: ignore[attr-defined]
        for _ in range(5):
            with memory.lease(R, ttl_ms=600):
                until(lambda: len(connections) > 1)
            assert len(connections) == 1


def test_a_renewal_that_fails_for_a_moment_is_repeated(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from memtend.errors import StoreBusy  # noqa: PLC0415
    from memtend.store import leases  # noqa: PLC0415

    real, failures = leases.renew, [StoreBusy(url="x", waited_s=0, why="test")]

    def renew(*given: object) -> object:
        if failures:
            raise failures.pop()
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(leases, "renew", renew)
    with memory.lease(R, ttl_ms=TTL) as lease:
        until(lambda: not failures and lease.until > lease.expires_at)
        assert not lease.lost


def test_the_heart_stops_with_the_block(memory: Memory) -> None:
    with memory.lease(R) as lease:
        pulse = lease._pulse
    heart = Heart(memory.store, pulse)
    with heart:
        assert heart._thread.is_alive()
    assert not heart._thread.is_alive()
    assert pulse.pause_s() * LEASE_BEATS == pytest.approx(pulse.ttl_ms / 1_000)


# in an event loop


def test_an_event_loop_goes_on_while_a_task_waits(memory: Memory) -> None:
    """The lease is held by a thread that nobody interrupts; meanwhile the loop ticks."""
    started, go_on = Event(), Event()

    def hold() -> None:
        with memory.lease(R):
            started.set()
            go_on.wait(20)

    async def work() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while ticks < 50:
                await asyncio.sleep(0.001)
                ticks += 1
            go_on.set()

        ticking = asyncio.ensure_future(tick())
        async with memory.alease(R) as lease:
            await asyncio.to_thread(memory.put, "n", "k", 1, lease=lease)
        await ticking
        return ticks

    thread = Thread(target=hold)
    thread.start()
    assert started.wait(20)
    assert asyncio.run(work()) == 50
    thread.join(20)
    assert memory.get("n", "k") == 1


def test_tasks_take_turns(memory: Memory) -> None:
    async def count(times: int) -> None:
        for _ in range(times):
            async with memory.alease(R, ttl_ms=20_000) as lease:
                seen = memory.get("n", "k", 0)
                await asyncio.sleep(0)
                memory.put("n", "k", seen + 1, lease=lease)

    async def work() -> None:
        await asyncio.gather(*(count(3) for _ in range(4)))

    asyncio.run(work())
    assert memory.get("n", "k") == 12


def test_a_task_keeps_its_lease_and_notices_its_loss(memory: Memory) -> None:
    async def work() -> None:
        async with memory.alease(R, ttl_ms=TTL) as lease:
            await until_later(
                lambda: (lease.until - lease.expires_at).total_seconds() * 1_000 > TTL / 2
            )
            assert not lease.lost
            await asyncio.to_thread(force_release, memory.store, R, "operator")
            await until_later(lambda: lease.lost)

    with pytest.raises(StaleLease):
        asyncio.run(work())


async def cancel_when(work: Awaitable[object], true: Callable[[], object]) -> None:
    task = asyncio.ensure_future(work)
    await until_later(true)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_cancelled_task_leaves_nothing_behind(memory: Memory) -> None:
    """Neither a place in the queue nor a lease, whether it waited, was being served, or worked."""

    async def work() -> None:
        held = await memory.leases.aacquire(R, holder="a")

        def waits() -> bool:
            return any(one.waiting for one in memory.leases.held())

        await cancel_when(memory.leases.aacquire(R, holder="b"), waits)
        assert not await asyncio.to_thread(waits)
        memory.leases.release(held)
        asked = asyncio.ensure_future(memory.leases.aacquire(R, holder="c"))
        await asyncio.sleep(0)  # it is in the thread by now
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert holders(memory) == []

        async def block() -> None:
            async with memory.alease(R, holder="d"):
                await asyncio.sleep(60)

        await cancel_when(block(), lambda: holders(memory) == ["d"])
        assert holders(memory) == []

    asyncio.run(work())


def test_many_together_in_an_event_loop(memory: Memory) -> None:
    async def work() -> list[str]:
        async with memory.leases.amulti(["b", "a"]) as taken:
            assert all(isinstance(one, HeldLease) for one in taken.values())
            return list(taken)

    assert asyncio.run(work()) == ["a", "b"]
    assert holders(memory) == []
