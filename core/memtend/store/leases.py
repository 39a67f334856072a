"""Leases: one holder per resource, on the database's clock, with a token that only grows.

A holder that was stopped may still believe it holds the lease. That is why every protected write
names its lease, and the store checks in the same transaction that no newer one was granted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from memtend.clock import to_datetime
from memtend.errors import LeaseHeld, StaleLease
from memtend.model.lease import Fence, Lease
from memtend.store.meta import Meta, crc_of

if TYPE_CHECKING:
    from memtend.store.engine import Transaction
    from memtend.store.store import Store


def acquire(store: Store, resource: str, holder: str, ttl_ms: int) -> Lease:
    """Grant the lease, or raise `LeaseHeld` while another holder's has not run out."""
    with store.engine.write() as tx:
        now_ms = _now_ms(store)
        meta = Meta.of(tx.fetch("meta_locked"), store.url)
        n = 0
        for other, n, _, expires_ms in tx.fetch("lease", (resource,)):  # noqa: B007
            if expires_ms > now_ms and other != holder:
                left_s = (expires_ms - now_ms) / 1_000
                raise LeaseHeld(resource=resource, holder=other, left_s=left_s)
        return _save(tx, resource, holder, Fence(meta.lease_epoch, n + 1), now_ms + ttl_ms)


def renew(store: Store, lease: Lease, ttl_ms: int) -> Lease:
    """Prolong under the same token; raises `StaleLease` if it ran out or was taken over."""
    with store.engine.write() as tx:
        now_ms = _now_ms(store)
        tx.fetch("meta_locked")
        if not _holds(tx, lease) or to_datetime(now_ms) >= lease.expires_at:
            raise StaleLease(resource=lease.resource, token=tuple(lease.fence))
        return _save(tx, lease.resource, lease.holder, lease.fence, now_ms + ttl_ms)


def release(store: Store, lease: Lease) -> None:
    """Give it back. The token stays, so that the next holder's is greater. Safe to repeat."""
    with store.engine.write() as tx:
        tx.fetch("meta_locked")
        if _holds(tx, lease):
            _save(tx, lease.resource, lease.holder, lease.fence, 0)


@contextmanager
def holding(store: Store, resource: str, holder: str, ttl_ms: int) -> Iterator[Lease]:
    """Hold a lease for the length of a block; on a full disk, for the sake of what frees space."""
    lease = store.ballast.deleting(lambda: acquire(store, resource, holder, ttl_ms))
    try:
        yield lease
    finally:
        store.ballast.deleting(lambda: release(store, lease))


def _holds(tx: Transaction, lease: Lease) -> bool:
    wanted = (lease.holder, lease.fence.n, lease.fence.epoch)
    return any(tuple(row[:3]) == wanted for row in tx.fetch("lease", (lease.resource,)))


def _save(tx: Transaction, resource: str, holder: str, fence: Fence, expires_ms: int) -> Lease:
    row = (resource, holder, fence.n, fence.epoch, expires_ms)
    tx.run("acquire", (*row, crc_of(row)))
    expires_at = to_datetime(expires_ms)
    return Lease(resource=resource, holder=holder, fence=fence, expires_at=expires_at)


def _now_ms(store: Store) -> int:
    """The server's clock where there is a server: all clients then agree on who is late."""
    return store.engine.server_ms() or store.clock.now_ms()
