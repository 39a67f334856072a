"""The lease of a repository: one holder at a time, on targets that promise nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from memtend.backup.lease import RepositoryLease
from memtend.clock import ManualClock
from memtend.errors import LeaseHeld, StaleLease
from memtend.limits import REPOSITORY_LEASE_MS, REPOSITORY_SKEW_MS
from memtend.objects import ObjectStore, open_target
from tests.fixtures.backups import FailingStore


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> ObjectStore:
    return open_target(str(tmp_path), clock)


def lease(store: ObjectStore, clock: ManualClock, holder: str = "a") -> RepositoryLease:
    return RepositoryLease(store, "write", holder, clock)


def test_a_second_holder_is_refused_until_the_first_is_done(
    store: ObjectStore, clock: ManualClock
) -> None:
    with lease(store, clock, "a"):
        with pytest.raises(LeaseHeld) as caught, lease(store, clock, "b"):
            pass
        assert caught.value.facts["holder"] == "a"
    with lease(store, clock, "b"):
        pass
    assert list(store.list()) == []


def test_purposes_do_not_meet(store: ObjectStore, clock: ManualClock) -> None:
    with lease(store, clock), RepositoryLease(store, "sweep", "b", clock):
        assert len(list(store.list("leases/"))) == 2


def test_who_is_late_is_stale_before_others_may_begin(
    store: ObjectStore, clock: ManualClock
) -> None:
    with lease(store, clock, "a") as first:
        clock.advance(REPOSITORY_LEASE_MS - REPOSITORY_SKEW_MS)
        with pytest.raises(StaleLease):
            first.check()
        with pytest.raises(StaleLease):
            first.renew()
        with pytest.raises(LeaseHeld), lease(store, clock, "b"):
            pass
        clock.advance(2 * REPOSITORY_SKEW_MS)
        with lease(store, clock, "b"):
            assert len(list(store.list("leases/"))) == 1  # the late one's claim was cleared away


def test_a_renewed_lease_goes_on(store: ObjectStore, clock: ManualClock) -> None:
    with lease(store, clock, "a") as first:
        for _ in range(10):
            clock.advance(REPOSITORY_LEASE_MS * 0.6)
            first.renew()
            assert len(list(store.list("leases/"))) == 1
            with pytest.raises(LeaseHeld), lease(store, clock, "b"):
                pass
    assert list(store.list()) == []


class Interrupted(FailingStore):
    """Runs `between` before its n-th call, as another process would."""

    def __init__(self, inner: ObjectStore, at: int, between: Callable[[], None]) -> None:
        super().__init__(inner)
        self._at, self._between = at, between

    def _pass(self, call, *given):  # type: ignore[no-untyped-def]
        if self.calls + 1 == self._at:
            self._between()
        return super()._pass(call, *given)


def _calls() -> Iterator[tuple[int, int]]:
    return ((first, second) for first in range(1, 8) for second in range(1, 8))


@pytest.mark.parametrize(("at", "then_at"), list(_calls()))
def test_two_never_hold_it_together(
    store: ObjectStore, clock: ManualClock, at: int, then_at: int
) -> None:
    """b acquires between any two calls of a, and c between any two of b; none lets go."""
    holders: list[str] = []
    with ExitStack() as held:

        def acquire(name: str, through: ObjectStore) -> None:
            try:
                held.enter_context(lease(through, clock, name))
            except LeaseHeld:
                return
            holders.append(name)

        def of_c() -> None:
            acquire("c", store)

        def of_b() -> None:
            acquire("b", Interrupted(store, then_at, of_c))

        acquire("a", Interrupted(store, at, of_b))
        assert len(holders) <= 1
    with lease(store, clock, "d"):
        pass
