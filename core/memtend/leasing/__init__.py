"""Leases for agents: `memory.leases`, `memory.lease(…)`, `memory.alease(…)`.

    >>> from memtend import Memory
    >>> with Memory.open("sqlite://") as memory, memory.lease("deploy/web") as lease:
    ...     _ = memory.put("deploy/web", "state", "rolling", lease=lease)

A lease is not a lock: a holder that was stopped for longer than its TTL wakes up and believes it
still has it. So what is written under a lease names it, and is refused once another was let in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import (
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from functools import partial
from typing import TYPE_CHECKING, Any

from memtend.errors import InvalidName, MemtendError, StaleLease
from memtend.leasing.bounds import (
    ModeName,
    bounded_ttl,
    bounded_wait,
    checked_holder,
    fence_of,
    in_order,
    mode_of,
)
from memtend.leasing.held import HeldLease
from memtend.leasing.turns import Lines, Turn
from memtend.limits import LEASE_TTL_MS, LEASE_WAIT_S
from memtend.model.lease import Fence, Held, Lease, Mode
from memtend.model.names import MAINTENANCE, check_name
from memtend.store import lease_desk, leases
from memtend.store.lease_heart import Heart, Pulse

if TYPE_CHECKING:
    from memtend.session import Session

__all__ = ["HeldLease", "Lease", "Leases", "Mode"]


class Leases:
    """Leases of one open store. Thread-safe.

    A resource is named like a namespace. An agent needs the right to read in it for a read lease,
    and the right to write in it for the others. Without `holder` each thread and each task is a
    holder of its own; give a name only to one line of work.
    """

    def __init__(self, session: Session, pause: Callable[[float], object] | None = None) -> None:
        self._session = session
        self._store = session.store
        self._pause = pause
        self._undone: list[Callable[[], object]] = []
        """What could not be given back when it should have been: the database was away."""
        self._lines = Lines(session.agent or "owner", session.store.clock)

    def acquire(
        self,
        resource: str,
        ttl_ms: int = LEASE_TTL_MS,
        mode: Mode | ModeName = Mode.EXCLUSIVE,
        wait_s: float = LEASE_WAIT_S,
        holder: str | None = None,
    ) -> Lease:
        """The lease, waiting in line for up to `wait_s`.

        Raises `LeaseHeld` when it does not come in time, and `Deadlock` at once where it never can:
        those before us wait for what we hold.
        """
        return self._acquired(self._turn(resource, ttl_ms, mode, wait_s, holder))

    async def aacquire(
        self,
        resource: str,
        ttl_ms: int = LEASE_TTL_MS,
        mode: Mode | ModeName = Mode.EXCLUSIVE,
        wait_s: float = LEASE_WAIT_S,
        holder: str | None = None,
    ) -> Lease:
        """Like `acquire`, for an event loop, which goes on meanwhile."""
        from memtend.leasing import later  # noqa: PLC0415

        turn = self._turn(resource, ttl_ms, mode, wait_s, holder)
        return await later.acquired(turn, self._catch_up, self._undo)

    def renew(self, lease: Lease, ttl_ms: int = LEASE_TTL_MS) -> Lease:
        """Prolong, counted from now; raises `StaleLease` if it ran out or was taken away."""
        self._may(lease.resource, lease.mode)
        return leases.renew(self._store, lease, bounded_ttl(lease.resource, ttl_ms))

    def release(self, lease: Lease) -> bool:
        """Give it back; False where it had run out or was taken away. Safe to repeat.

        Should the database be away, it is given back before the next lease is asked for.
        """
        self._may(lease.resource, lease.mode)
        return self._give_back(lease)

    def held(self) -> list[Held]:
        """What is held or waited for now, as far as this agent may read it."""
        config, agent = self._session.config, self._session.agent
        found = lease_desk.held(self._store)
        if agent is None:
            return found
        return [one for one in found if config.allows(agent, "read", one.resource)]

    def accept(self, resource: str, fence: Fence) -> None:
        """Ask, on behalf of something outside of the store, whether a token is still good.

        The greatest one is remembered; a smaller one raises `StaleLease`. Where the tokens come
        from this store, one is also refused after a later writer was let in or a restore.
        """
        self._may(resource, Mode.WRITE)
        lease_desk.accept(self._store, resource, fence_of(resource, fence))

    @contextmanager
    def lease(
        self, resource: str, *, ttl_ms: int = LEASE_TTL_MS, renew: bool = True, **terms: Any
    ) -> Iterator[HeldLease]:
        """Hold a lease for the length of a block; `terms` as for `acquire`.

        With `renew` it is prolonged for as long as the process runs. Raises `StaleLease` at the end
        if it was lost before: others may have been at work at the same time.
        """
        turn = self._turn(resource, ttl_ms, **terms)
        pulse = self._pulse(self._acquired(turn), turn, ttl_ms)
        held = HeldLease.of(pulse.lease, pulse)
        try:
            with Heart(self._store, pulse) if renew else nullcontext():
                yield held
        except BaseException:
            with suppress(MemtendError):
                self._give_back(held)
            raise
        if not self._give_back(held):
            raise StaleLease(resource=resource, token=tuple(held.fence))

    @asynccontextmanager
    async def alease(
        self, resource: str, *, ttl_ms: int = LEASE_TTL_MS, renew: bool = True, **terms: Any
    ) -> AsyncIterator[HeldLease]:
        """Like `lease`, for an event loop."""
        from memtend.leasing import later  # noqa: PLC0415

        turn = self._turn(resource, ttl_ms, **terms)
        lease = await later.acquired(turn, self._catch_up, self._undo)
        pulse = self._pulse(lease, turn, ttl_ms)
        async with later.kept(self._give_back, pulse, renew=renew):
            yield HeldLease.of(lease, pulse)

    @contextmanager
    def multi(
        self,
        resources: Iterable[str],
        *,
        ttl_ms: int = LEASE_TTL_MS,
        wait_s: float = LEASE_WAIT_S,
        **terms: Any,
    ) -> Iterator[dict[str, HeldLease]]:
        """All of them or none, within `wait_s` together, taken in the order of their names.

        Whoever takes several leases only so can never be in a deadlock.
        """
        clock = self._store.clock
        until_ns = clock.monotonic_ns() + round(bounded_wait("multi", wait_s) * 1e9)
        with ExitStack() as stack:
            taken: dict[str, HeldLease] = {}
            for resource in in_order(resources):
                left_s = max(until_ns - clock.monotonic_ns(), 0) / 1e9
                one = self.lease(resource, ttl_ms=ttl_ms, wait_s=left_s, **terms)
                taken[resource] = stack.enter_context(one)
            yield taken

    @asynccontextmanager
    async def amulti(
        self,
        resources: Iterable[str],
        *,
        ttl_ms: int = LEASE_TTL_MS,
        wait_s: float = LEASE_WAIT_S,
        **terms: Any,
    ) -> AsyncIterator[dict[str, HeldLease]]:
        """Like `multi`, for an event loop."""
        clock = self._store.clock
        until_ns = clock.monotonic_ns() + round(bounded_wait("multi", wait_s) * 1e9)
        async with AsyncExitStack() as stack:
            taken: dict[str, HeldLease] = {}
            for resource in in_order(resources):
                left_s = max(until_ns - clock.monotonic_ns(), 0) / 1e9
                one = self.alease(resource, ttl_ms=ttl_ms, wait_s=left_s, **terms)
                taken[resource] = await stack.enter_async_context(one)
            yield taken

    def _acquired(self, turn: Turn) -> Lease:
        try:
            self._catch_up()
            outcome = turn.step()
            if isinstance(outcome, Lease):
                return outcome
            with turn.ear() as ear:
                pause = self._pause or ear.wait
                while not isinstance(outcome := turn.step(), Lease):
                    pause(outcome)
                return outcome
        except BaseException:
            self._undo(turn.withdraw)
            raise

    def _give_back(self, lease: Lease) -> bool:
        try:
            return leases.release(self._store, lease)
        except MemtendError:
            self._undone.append(partial(leases.release, self._store, lease))
            raise

    def _undo(self, undo: Callable[[], object]) -> None:
        try:
            undo()
        except MemtendError:
            self._undone.append(undo)

    def _catch_up(self) -> None:
        """What is still ours by mistake would be in our own way."""
        while self._undone:
            try:
                undo = self._undone.pop()
            except IndexError:  # another thread was faster
                return
            try:
                undo()
            except MemtendError:
                self._undone.append(undo)
                raise

    def _pulse(self, lease: Lease, turn: Turn, ttl_ms: int) -> Pulse:
        return Pulse(self._store, lease, ttl_ms, turn.asked_ns)

    def _turn(
        self,
        resource: str,
        ttl_ms: int,
        mode: Mode | ModeName = Mode.EXCLUSIVE,
        wait_s: float = LEASE_WAIT_S,
        holder: str | None = None,
    ) -> Turn:
        wanted = mode_of(resource, mode)
        self._may(resource, wanted)
        wait_s = bounded_wait(resource, wait_s)
        named = self._lines.name() if holder is None else checked_holder(holder)
        ttl_ms = bounded_ttl(resource, ttl_ms)
        return Turn(self._store, leases.Wish(resource, named, ttl_ms, wanted), wait_s)

    def _may(self, resource: str, mode: Mode) -> None:
        check_name(resource, "resource")
        if resource.split("/", maxsplit=1)[0] == MAINTENANCE:
            raise InvalidName(what="resource", name=resource, why="it is reserved for maintenance")
        self._session._allow("read" if mode is Mode.READ else "write", resource)
