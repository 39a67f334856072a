"""Leases in an event loop: the database is asked in a thread, and waiting is the loop's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from memtend.errors import MemtendError, StaleLease
from memtend.model.lease import Lease

if TYPE_CHECKING:
    from memtend.leasing.turns import Turn
    from memtend.store.lease_heart import Pulse

T = TypeVar("T")


async def acquired(
    turn: Turn, catch_up: Callable[[], None], undo: Callable[[Callable[[], None]], None]
) -> Lease:
    """Walk a request to its end. Cancelled, it leaves nothing behind, granted or queued."""
    await asyncio.to_thread(catch_up)
    while True:
        asked = asyncio.ensure_future(asyncio.to_thread(turn.step))
        try:
            outcome = await asyncio.shield(asked)
            if isinstance(outcome, Lease):
                return outcome
            await asyncio.sleep(outcome)
        except BaseException:
            await _to_its_end(_undo(turn, asked, undo))
            raise


async def _undo(
    turn: Turn, asked: asyncio.Future[Lease | float], undo: Callable[[Callable[[], None]], None]
) -> None:
    """Cancelled, the thread goes on, and what it got must not be left lying."""
    await asyncio.wait([asked])
    if not asked.cancelled():
        asked.exception()  # nobody else will look at it
    await asyncio.to_thread(undo, turn.withdraw)


@asynccontextmanager
async def kept(
    release: Callable[[Lease], bool], pulse: Pulse, *, renew: bool
) -> AsyncIterator[None]:
    """Renew while the block runs and give back afterwards; `StaleLease` if it was lost."""
    beating = asyncio.ensure_future(_beat(pulse)) if renew else None
    try:
        yield
    except BaseException:
        with suppress(MemtendError):
            await _given_back(release, pulse, beating)
        raise
    if not await _given_back(release, pulse, beating):
        raise StaleLease(resource=pulse.lease.resource, token=tuple(pulse.lease.fence))


async def _beat(pulse: Pulse) -> None:
    alive = True
    while alive:
        await asyncio.sleep(pulse.pause_s())
        alive = await asyncio.to_thread(pulse.beat)


async def _given_back(
    release: Callable[[Lease], bool], pulse: Pulse, beating: asyncio.Future[None] | None
) -> bool:
    if beating is not None:
        beating.cancel()
    return await _to_its_end(asyncio.to_thread(release, pulse.lease))


async def _to_its_end(work: Coroutine[None, None, T]) -> T:
    """Finish `work` even if this task is cancelled meanwhile; it is cancelled afterwards."""
    running = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return running.result()
