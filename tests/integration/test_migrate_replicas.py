"""Replicas and migrations: whoever migrates first or last, all end up with the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import pytest

from memtend.clock import ManualClock
from memtend.memory import Memory
from memtend.model.record import Labels
from memtend.resolving import crowding
from memtend.services import Services, open_services
from memtend.store.verify import verify_store
from tests.fixtures.aging import NOW_MS, NS, item, keep, settings_in, version_at
from tests.fixtures.replicas import assert_alike, sync

Pair: TypeAlias = tuple[Services, Services]
PATTERN = Labels(kind="pattern")


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Two stores in memory that hold the same five items of 1.0.0."""
    clock = ManualClock(NOW_MS)
    with ExitStack() as stack:
        made = []
        for name in ("a", "b"):
            chosen = settings_in(tmp_path / name)
            made.append(
                stack.enter_context(open_services("sqlite://", settings=chosen, clock=clock))
            )
        keep(made[0].memory, *range(5), tags=("red",))
        sync(*memories(made[0], made[1]))
        yield made[0], made[1]
        for services in made:
            report = verify_store(services.store)
            assert report.ok, report.findings


def memories(a: Services, b: Services) -> tuple[Memory, Memory]:
    return a.memory, b.memory


def run(services: Services) -> int:
    return services.apply_migration(services.plan_migration(), rehearsal=False).written


def swept(services: Services) -> None:
    services.apply_sweep(services.plan_sweep())


def test_one_migrates_and_the_other_hears_of_it(pair: Pair) -> None:
    a, b = pair
    assert run(a) == 5
    sync(*memories(a, b))
    assert_alike(*memories(a, b))
    assert {version_at(b.memory, n) for n in range(5)} == {"2.0.0"}
    assert (run(b), crowding(b.memory)) == (0, (0, 0))


def test_both_migrate_and_one_of_two_equal_values_is_enough(pair: Pair) -> None:
    a, b = pair
    assert (run(a), run(b)) == (5, 5)
    sync(*memories(a, b))
    assert_alike(*memories(a, b))
    assert crowding(a.memory) == (5, 2)
    assert a.memory.get(NS, "p00003") == b.memory.get(NS, "p00003")
    swept(a)
    swept(b)
    assert (crowding(a.memory), crowding(b.memory)) == ((0, 0), (0, 0))
    sync(*memories(a, b))
    assert_alike(*memories(a, b))
    assert a.memory.stats().records == 5
    assert {version_at(b.memory, n) for n in range(5)} == {"2.0.0"}
    assert a.memory.tagged("red")


def test_a_peer_that_never_sweeps_hears_that_one_is_enough(pair: Pair) -> None:
    a, b = pair
    run(a)
    run(b)
    sync(*memories(a, b))
    swept(a)
    sync(*memories(a, b))
    assert_alike(*memories(a, b))
    assert b.memory.stats().records == 5


def test_a_write_that_the_migration_has_not_seen_is_the_newer_one(pair: Pair) -> None:
    """It was written before the migration ran, and must not look older than what that moved."""
    a, b = pair
    clock = a.clock
    clock.advance(1_000)  # type: ignore[attr-defined]
    mine = item(1) | {"mine": True}
    b.memory.put(NS, "p00001", mine)
    clock.advance(1_000)  # type: ignore[attr-defined]
    run(a)
    sync(*memories(a, b))
    for services in pair:
        assert services.memory.get(NS, "p00001") == mine
    swept(a)
    assert len(a.memory.siblings(NS, "p00001")) == 2


def test_a_deletion_elsewhere_leaves_what_was_not_seen(pair: Pair) -> None:
    """As with any write beside a deletion: the write survives."""
    a, b = pair
    b.memory.delete(NS, "p00002")
    run(a)
    sync(*memories(a, b))
    assert_alike(*memories(a, b))
    assert version_at(b.memory, 2) == "2.0.0"


def test_one_goes_back_while_the_other_stays(pair: Pair) -> None:
    a, b = pair
    run(a)
    sync(*memories(a, b))
    a.apply_rollback(a.plan_rollback())
    sync(*memories(a, b))
    assert_alike(*memories(a, b))
    assert {version_at(b.memory, n) for n in range(5)} == {"1.0.0"}


def test_values_that_somebody_wrote_are_no_twins(pair: Pair) -> None:
    """Equal values of two writers stay two: nobody knows that they mean the same."""
    a, b = pair
    for services in pair:
        services.memory.put(NS, "same", item(7), labels=PATTERN)
    sync(*memories(a, b))
    swept(a)
    assert len(a.memory.siblings(NS, "same")) == 2


def test_twins_of_two_steps_are_twins(pair: Pair) -> None:
    for services in pair:
        for version in ("1.1.0", "2.0.0"):
            services.apply_migration(services.plan_migration(to=version), rehearsal=False)
    sync(*memories(*pair))
    assert crowding(pair[0].memory)[0] == 5
    swept(pair[0])
    assert crowding(pair[0].memory)[0] == 0
    sync(*memories(*pair))
    assert_alike(*memories(*pair))
