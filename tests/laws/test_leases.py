"""Leases against their model: every interleaving, and defects that must not go unnoticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from memtend.memory import Memory
from memtend.model import queueing
from memtend.model.lease import Mode, go_together
from memtend.model.queueing import Obstacles
from memtend.store import lease_rows, leases, store
from memtend.store.lease_rows import Tokens
from memtend.store.sql import sqlite_statements
from tests.laws.lease_explorer import TICK_MS, Broken, Client, Explorer, SetClock
from tests.laws.lease_model import CONFLICTS

READ, WRITE, ALONE = "read", "write", "exclusive"


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def memory(clock: SetClock) -> Iterator[Memory]:
    with Memory.open("sqlite://", clock=clock) as opened:
        yield opened


def some(*modes: str, **more: Any) -> list[Client]:
    return [Client(mode, **more) for mode in modes]


EXPLORED = {
    "three alone": (some(ALONE, ALONE, ALONE), 3, 10_000),
    "one of each mode": (some(READ, WRITE, ALONE), 2, 5_000),
    "readers and one alone": (some(READ, READ, ALONE), 2, 5_000),
    "writers and one alone": (some(WRITE, WRITE, ALONE), 2, 5_000),
    "a reader and writers": (some(READ, WRITE, WRITE), 2, 5_000),
    "two, again and renewed": (some(ALONE, ALONE, asks=2, renewals=1), 2, 10_000),
    "a reader and one alone, again": (some(READ, ALONE, asks=2, renewals=1), 2, 10_000),
}


@pytest.mark.parametrize(("clients", "ticks", "least"), EXPLORED.values(), ids=EXPLORED.keys())
def test_every_interleaving_keeps_what_was_promised(
    memory: Memory, clock: SetClock, clients: list[Client], ticks: int, least: int
) -> None:
    """No stale write, no token twice, nothing granted early, and the queue in its order."""
    assert Explorer(memory, clock).explore(clients, ticks) >= least


@pytest.mark.parametrize("one", list(Mode))
@pytest.mark.parametrize("other", list(Mode))
def test_which_modes_go_together(one: Mode, other: Mode) -> None:
    assert go_together(one, other) is not CONFLICTS[one, other]


# Defects that somebody might write: each one is found.

Patch = Callable[[pytest.MonkeyPatch], None]
DEFECTS: dict[str, Patch] = {}


def defect(plant: Patch) -> Patch:
    DEFECTS[plant.__name__.replace("_", " ")] = plant
    return plant


@defect
def a_lease_that_ran_out_still_writes(patch: pytest.MonkeyPatch) -> None:
    real = lease_rows.check_fence
    patch.setattr(lease_rows, "check_fence", lambda lease, grants, now_ms: real(lease, grants, 0))


@defect
def a_read_lease_writes(patch: pytest.MonkeyPatch) -> None:
    real = lease_rows.check_fence
    patch.setattr(lease_rows, "check_fence", lambda *given: real(*given, reading=True))


@defect
def nobody_asks_for_the_lease(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(store, "check_lease", lambda *given: None)


@defect
def a_token_is_given_again(patch: pytest.MonkeyPatch) -> None:
    real = lease_rows.save

    def save(tx: Any, row: Any) -> None:
        real(tx, row._replace(n=row.n - 1) if isinstance(row, Tokens) and row.n > 1 else row)

    patch.setattr(leases, "save", save)


@defect
def releasing_forgets_the_token(patch: pytest.MonkeyPatch) -> None:
    real = leases.release

    def release(store: Any, lease: Any) -> bool:
        given = real(store, lease)
        store.engine.script(f"DELETE FROM lease WHERE resource = '{lease.resource}'")
        return given

    patch.setattr(leases, "release", release)


@defect
def a_lease_ends_a_tick_early(patch: pytest.MonkeyPatch) -> None:
    real = queueing.in_the_way
    patch.setattr(leases, "in_the_way", lambda w, g, t, now: real(w, g, t, now + TICK_MS))


@defect
def a_lease_ends_at_its_last_moment_plus_one(patch: pytest.MonkeyPatch) -> None:
    real = queueing.in_the_way
    patch.setattr(leases, "in_the_way", lambda w, g, t, now: real(w, g, t, now - 1))


@defect
def a_reader_overtakes(patch: pytest.MonkeyPatch) -> None:
    real = queueing.in_the_way

    def in_the_way(wish: Any, *given: Any) -> Obstacles:
        grants, tickets = real(wish, *given)
        return Obstacles(grants, () if wish.mode == Mode.READ else tickets)

    patch.setattr(leases, "in_the_way", in_the_way)


@defect
def the_queue_is_no_queue(patch: pytest.MonkeyPatch) -> None:
    real = queueing.in_the_way
    patch.setattr(leases, "in_the_way", lambda *g: Obstacles(real(*g).grants, ()))


@defect
def a_dead_waiter_keeps_its_place(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(leases, "LEASE_TICKET_MS", 100 * TICK_MS)


@defect
def a_renewal_wakes_the_dead(patch: pytest.MonkeyPatch) -> None:
    real = lease_rows.check_fence

    def check(lease: Any, grants: Any, now_ms: int, *, reading: bool) -> Any:
        return real(lease, grants, 0, reading=reading)

    patch.setattr(leases, "check_fence", check)


@defect
def who_was_replaced_stays(patch: pytest.MonkeyPatch) -> None:
    statements = sqlite_statements()
    statements["end_late_leases"] = statements["end_late_leases"] + " AND 1 = 0"
    patch.setattr("memtend.store.sqlite.sqlite_statements", lambda: statements)


@pytest.mark.parametrize("plant", DEFECTS.values(), ids=DEFECTS.keys())
def test_a_planted_defect_is_found(plant: Patch, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    clock = SetClock()
    with Memory.open("sqlite://", clock=clock) as memory:
        explorer = Explorer(memory, clock)
        with pytest.raises(Broken):
            explore_all(explorer)


def explore_all(explorer: Explorer) -> None:
    for modes in ((ALONE, ALONE), (READ, ALONE)):
        explorer.explore(some(*modes, renewals=1), 3)
    explorer.explore(some(READ, READ, ALONE), 2)


def test_a_fence_that_is_checked_outside_of_the_transaction_is_found(
    memory: Memory, clock: SetClock
) -> None:
    """Checked first, paused, written late: what the same transaction is for."""
    with pytest.raises(Broken, match="write accepted"):
        Explorer(memory, clock, fence_outside=True).explore(some(ALONE, ALONE), 3)
