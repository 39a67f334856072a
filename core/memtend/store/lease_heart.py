"""Keeping a lease while somebody works under it, and noticing when it is lost.

A thread of its own renews several times within each TTL. A renewal that fails for a reason that
passes is repeated as long as the lease runs; so a database that is away for a moment costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from memtend.errors import MemtendError, StaleLease
from memtend.limits import LEASE_BEATS
from memtend.store import leases

if TYPE_CHECKING:
    from memtend.model.lease import Lease, Mode
    from memtend.store.store import Store


class Pulse:
    """Whether a lease is still alive, as far as its holder can tell.

    It counts elapsed time from before the last renewal was asked for: so it is never called alive
    longer than the database does. A process that was stopped finds it lost when it goes on.
    """

    def __init__(self, store: Store, lease: Lease, ttl_ms: int, asked_ns: int) -> None:
        self._store = store
        self.lease = lease
        self.ttl_ms = ttl_ms
        self._until_ns = asked_ns + ttl_ms * 1_000_000
        self._gone = False

    @property
    def lost(self) -> bool:
        return self._gone or self._store.clock.monotonic_ns() >= self._until_ns

    def renew(self) -> None:
        asked_ns = self._store.clock.monotonic_ns()
        try:
            self.lease = leases.renew(self._store, self.lease, self.ttl_ms)
        except StaleLease:
            self._gone = True
            raise
        self._until_ns = asked_ns + self.ttl_ms * 1_000_000

    def beat(self) -> bool:
        """Renew once; False when there is nothing left to renew."""
        with suppress(MemtendError):  # what is not final may go away by the next time
            self.renew()
        return not self.lost

    def pause_s(self) -> float:
        return self.ttl_ms / LEASE_BEATS / 1_000


class Heart:
    """The thread that renews, from `with` to its end."""

    def __init__(self, store: Store, pulse: Pulse) -> None:
        self._store = store
        self._pulse = pulse
        self._ended = Event()
        self._thread = Thread(target=self._run, name="memtend-lease", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._ended.wait(self._pulse.pause_s()) and self._pulse.beat():
                pass
        finally:
            self._store.engine.leave()


@contextmanager
def holding(
    store: Store, resource: str, holder: str, ttl_ms: int, mode: Mode | None = None
) -> Iterator[Lease]:
    """Hold a lease for the length of a block, however long that takes.

    On a full disk it gives up ballast for the sake of what frees space. Whoever loses the lease
    meanwhile is told by the next write under it.
    """
    from memtend.model.lease import Mode as Modes  # noqa: PLC0415

    asked_ns = store.clock.monotonic_ns()
    chosen = mode or Modes.EXCLUSIVE
    lease = store.ballast.deleting(lambda: leases.acquire(store, resource, holder, ttl_ms, chosen))
    try:
        with Heart(store, Pulse(store, lease, ttl_ms, asked_ns)):
            yield lease
    finally:
        store.ballast.deleting(lambda: leases.release(store, lease))
