"""Rows of leases as values, checked: a damaged row must neither grant nor give a token twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from memtend.errors import LeaseReads, StaleLease, StoreDamaged
from memtend.model.lease import Mode
from memtend.model.queueing import Grant, Ticket
from memtend.store.meta import crc_of

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.engine import Row, Transaction
    from memtend.store.store import Store


class Tokens(NamedTuple):
    """A row of `lease`: the last token granted, and the last one to a mode that may write."""

    resource: str
    n: int = 0
    guard: int = 0


def tokens_of(rows: list[Row], resource: str, url: str) -> Tokens:
    return Tokens(*checked(rows[0], url)) if rows else Tokens(resource)


def grants_of(rows: list[Row], url: str, epoch: int | None = None) -> list[Grant]:
    """Those of the `epoch`: a restore raises it, and whoever held a lease holds nothing more."""
    grants = [Grant(*checked(row, url)) for row in rows]
    return [one for one in grants if epoch in (None, one.epoch)]


def tickets_of(rows: list[Row], url: str) -> list[Ticket]:
    return [Ticket(*checked(row, url)) for row in rows]


def checked(row: Row, url: str) -> Row:
    """A row without its checksum, which it matches."""
    if crc_of(row[:-1]) != row[-1]:
        raise StoreDamaged(url=url, why=f"a row of the leases on {row[0]!r} was changed")
    return row[:-1]


def save(tx: Transaction, row: Tokens | Grant | Ticket) -> None:
    tx.run(_SAVE[type(row)], (*row, crc_of(row)))


_SAVE = {Tokens: "save_lease", Grant: "save_lease_grant", Ticket: "save_lease_ticket"}


def clock_ms(store: Store, rows: list[Row]) -> int:
    """The time by which leases live: what `lease_now` gave, which is the server's clock.

    Where there is no server, it is this process's guarded clock.
    """
    return int(rows[0][0]) if rows[0][0] is not None else store.clock.now_ms()


def check_fence(lease: Lease, grants: list[Grant], now_ms: int, *, reading: bool = False) -> Grant:
    """The grant behind a lease; refuses one that was taken away, has run out, or only reads."""
    for grant in grants:
        mine = (grant.epoch, grant.n) == tuple(lease.fence) and grant.holder == lease.holder
        if mine and now_ms < grant.expires_ms:
            if grant.mode == Mode.READ and not reading:
                raise LeaseReads(resource=lease.resource)
            return grant
    raise StaleLease(resource=lease.resource, token=tuple(lease.fence))
