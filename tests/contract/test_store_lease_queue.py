"""Waiting for leases: in line, not for ever, past the dead, and never in a circle."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest

from memtend.clock import ManualClock
from memtend.errors import Deadlock, LeaseHeld, MemtendError, StaleLease, StoreUnavailable
from memtend.leasing import Leases
from memtend.limits import LEASE_TICKET_MS, LEASE_WAIT_S
from memtend.memory import Memory
from memtend.model.lease import Lease, Mode
from memtend.store import leases
from memtend.store.leases import Waiting, Wish
from tests.fixtures.leases import let_pass

TTL = 3_600_000
R = "job"


def ask(memory: Memory, who: str, mode: Mode = Mode.EXCLUSIVE, resource: str = R) -> Lease | None:
    """One attempt of somebody who stays in the queue."""
    outcome = leases.ask(
        memory.store, Wish(resource, who, TTL, mode, f"{who} {resource}", waits=True)
    )
    return None if isinstance(outcome, Waiting) else outcome


def hold(memory: Memory, who: str, mode: Mode = Mode.EXCLUSIVE, resource: str = R) -> Lease:
    lease = ask(memory, who, mode, resource)
    assert lease is not None
    return lease


def waiting(memory: Memory, resource: str = R) -> list[str]:
    found = [one for one in memory.leases.held() if one.resource == resource]
    return [waiter.holder for one in found for waiter in one.waiting]


def test_first_come_first_served(memory: Memory) -> None:
    held = hold(memory, "a")
    assert [ask(memory, who) for who in "bcd"] == [None] * 3
    assert waiting(memory) == ["b", "c", "d"]
    for turn in range(3):
        leases.release(memory.store, held)
        assert [ask(memory, who) for who in "dcb"[: 2 - turn]] == [None] * (2 - turn)
        held = hold(memory, "bcd"[turn])
    assert waiting(memory) == []


def test_readers_do_not_starve_who_wants_to_be_alone(memory: Memory) -> None:
    reader = hold(memory, "r1", Mode.READ)
    assert ask(memory, "alone") is None
    assert ask(memory, "r2", Mode.READ) is None
    leases.release(memory.store, reader)
    assert ask(memory, "r2", Mode.READ) is None
    alone = hold(memory, "alone")
    leases.release(memory.store, alone)
    hold(memory, "r2", Mode.READ)


def test_whom_nobody_keeps_out_need_not_wait(memory: Memory) -> None:
    """A reader passes waiting writers: he goes with them."""
    hold(memory, "w1", Mode.WRITE)
    assert ask(memory, "w2", Mode.WRITE) is None
    hold(memory, "r", Mode.READ)


def test_a_waiter_that_died_is_skipped(memory: Memory, clock: ManualClock) -> None:
    held = hold(memory, "a")
    assert ask(memory, "dead") is None
    assert ask(memory, "b") is None
    let_pass(memory, clock, LEASE_TICKET_MS * 4 // 5)
    leases.release(memory.store, held)
    assert ask(memory, "b") is None
    let_pass(memory, clock, LEASE_TICKET_MS // 5)
    assert waiting(memory) == ["b"]
    taken = hold(memory, "b")
    assert ask(memory, "dead") is None  # it lives after all, and begins again at the end
    leases.release(memory.store, taken)
    hold(memory, "dead")


def test_waiting_ends(memory: Memory, clock: ManualClock) -> None:
    """After 30 s by default; the error names who has it, for how long, and the place in line."""
    hold(memory, "a")
    assert ask(memory, "b") is None
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        clock.advance(seconds * 1_000)
        assert ask(memory, "b") is None

    began = clock.monotonic_ns()
    with pytest.raises(
        LeaseHeld, match=r"'a' for another 3,5\d\d\.\d s, until .* UTC; 1 wait before"
    ):
        Leases(memory, pause).acquire(R)
    assert (clock.monotonic_ns() - began) / 1e9 == pytest.approx(LEASE_WAIT_S, abs=0.001)
    assert max(pauses[:3]) < 0.02 < max(pauses) < 0.2
    assert waiting(memory) == ["b"]


def test_the_lease_comes_as_soon_as_it_is_given_back(memory: Memory, clock: ManualClock) -> None:
    held = hold(memory, "a")

    def pause(seconds: float) -> None:
        clock.advance(seconds * 1_000)
        if clock.monotonic_ns() > 5e9:
            leases.release(memory.store, held)

    clock.advance(1)
    got = Leases(memory, pause).acquire(R, holder="b")
    assert got.fence.n == held.fence.n + 1
    assert clock.monotonic_ns() < 5.2e9


def test_a_released_lease_wakes_who_waits(memory: Memory) -> None:
    """Told by the store, not found by looking: time stands still here."""
    held = hold(memory, "a")
    got: list[Lease] = []
    waiter = Thread(target=lambda: got.append(memory.leases.acquire(R, holder="b")))
    waiter.start()
    while not waiting(memory):
        time.sleep(0.002)
    leases.release(memory.store, held)
    waiter.join(20)
    assert [lease.holder for lease in got] == ["b"]


def test_who_gives_up_leaves_the_queue(memory: Memory) -> None:
    hold(memory, "a")

    def pause(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Leases(memory, pause).acquire(R, holder="b")
    assert waiting(memory) == []


# circles


def test_who_waits_for_himself(memory: Memory) -> None:
    memory.leases.acquire(R, mode="read")
    with pytest.raises(Deadlock, match="'job'"):
        memory.leases.acquire(R)
    with pytest.raises(LeaseHeld):
        memory.leases.acquire(R, wait_s=0)  # who does not wait is in no circle
    assert waiting(memory) == []


def test_a_circle_of_three_is_named_to_the_youngest(memory: Memory) -> None:
    for who in "abc":
        hold(memory, who, resource=f"of-{who}")
    assert ask(memory, "a", resource="of-b") is None
    assert ask(memory, "b", resource="of-c") is None
    circle = (
        "'c' waits for 'of-a' behind 'a', 'a' waits for 'of-b' behind 'b', "
        "'b' waits for 'of-c' behind 'c'"
    )
    with pytest.raises(Deadlock) as caught:
        ask(memory, "c", resource="of-a")
    assert circle in str(caught.value)
    assert ask(memory, "a", resource="of-b") is None  # the others wait on, and are served
    memory.leases.release(take_back(memory, "c"))
    memory.leases.release(hold(memory, "b", resource="of-c"))
    assert waiting(memory, "of-b") == ["a"]


def take_back(memory: Memory, who: str) -> Lease:
    [one] = [one for one in memory.leases.held() if one.resource == f"of-{who}"]
    return one.leases[0]


def test_a_circle_through_the_queue(memory: Memory) -> None:
    """a reads x; b waits for x alone; c, who holds y, would read x behind b; a waits for y."""
    hold(memory, "a", Mode.READ, "x")
    hold(memory, "c", resource="y")
    assert ask(memory, "b", resource="x") is None
    assert ask(memory, "c", Mode.READ, "x") is None
    with pytest.raises(Deadlock, match="'c' waits for 'x' behind 'b'"):
        ask(memory, "a", resource="y")


def test_no_circle_no_error(memory: Memory) -> None:
    """Two who wait for the same, or one after the other, only wait."""
    hold(memory, "a", resource="x")
    hold(memory, "b", resource="y")
    for who, resource in (("b", "x"), ("c", "x"), ("c", "y"), ("d", "y")):
        assert ask(memory, who, resource=resource) is None


def test_two_threads_in_opposite_order(memory: Memory) -> None:
    """Exactly one is told; the other gets both."""
    both, results = Barrier(2), []

    def work(first: str, second: str) -> None:
        try:
            with memory.lease(first):
                both.wait()
                with memory.lease(second):
                    results.append("both")
        except Deadlock as error:
            results.append(type(error).__name__)

    threads = [Thread(target=work, args=pair) for pair in (("x", "y"), ("y", "x"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(results) == ["Deadlock", "both"]


def test_many_together_in_one_order_never_meet_in_a_circle(memory: Memory) -> None:
    orders = (["x", "y", "z"], ["z", "y", "x"], ["y", "z", "x"])
    failed: list[MemtendError] = []

    def work(resources: list[str]) -> None:
        try:
            for _ in range(5):
                with memory.leases.multi(resources) as taken:
                    assert list(taken) == sorted(resources)
                    for lease in taken.values():
                        memory.put(R, "k", resources, lease=lease)
        except MemtendError as error:
            failed.append(error)

    threads = [Thread(target=work, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert memory.leases.held() == []


def test_all_or_none(memory: Memory) -> None:
    hold(memory, "a", resource="y")
    with pytest.raises(LeaseHeld), memory.leases.multi(["z", "x", "y"], wait_s=0):
        pass
    assert [one.resource for one in memory.leases.held()] == ["y"]


RAISING: list[Callable[[Memory], object]] = [
    lambda m: m.put("n", "k", 1, lease=hold(m, "a").model_copy(update={"holder": "b"})),
    lambda m: m.leases.renew(hold(m, "a").model_copy(update={"holder": "b"})),
]


@pytest.mark.parametrize("act", RAISING)
def test_a_token_alone_is_not_enough(memory: Memory, act: Callable[[Memory], object]) -> None:
    with pytest.raises(StaleLease):
        act(memory)


def test_an_answer_that_was_not_heard(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection broke in the commit: nobody is in his own way afterwards."""
    real, broken = leases.ask, [True]

    def ask_unheard(*given: Any) -> object:
        outcome = real(*given)
        if broken:
            broken.pop()
            raise StoreUnavailable(url=memory.store.url, why="the line broke")
        return outcome

    monkeypatch.setattr(leases, "ask", ask_unheard)
    with pytest.raises(StoreUnavailable):
        memory.leases.acquire(R, TTL)
    with memory.lease(R, wait_s=0) as lease:
        assert lease.fence.n == 2


def test_asking_again_gives_the_same_answer(memory: Memory) -> None:
    first = hold(memory, "a")
    assert ask(memory, "a") == first
    leases.withdraw(memory.store, R, f"a {R}")
    assert memory.leases.held() == []
