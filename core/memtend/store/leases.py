"""Leases: granted in one transaction on the database's clock, with a token that only grows.

A holder that was stopped may still believe it holds the lease. That is why every protected write
names its lease, and the store checks in the same transaction that it is still good (`Changing`).

A lease that ran out stays in its row until a grant clears it away. So should the clock go back, it
is held again, and nobody gets the resource early; whoever was replaced stays replaced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from memtend.clock import to_datetime
from memtend.errors import Deadlock, LeaseHeld, LimitExceeded
from memtend.limits import LEASE_GRANTS_MAX, LEASE_TICKET_MS, LEASE_TICKETS_MAX
from memtend.model.lease import Fence, Lease, Mode
from memtend.model.queueing import NEWEST, Grant, Obstacles, Step, Ticket, circle, in_the_way
from memtend.store.lease_rows import (
    Tokens,
    check_fence,
    clock_ms,
    grants_of,
    save,
    tickets_of,
    tokens_of,
)
from memtend.store.meta import Meta
from memtend.store.notify import notify, ring

if TYPE_CHECKING:
    from memtend.store.engine import Transaction
    from memtend.store.store import Store


class Wish(NamedTuple):
    """What is asked for. With `waits`, whoever cannot have it now gets a place in the queue.

    `request` is an id: asking again with it, because the answer was not heard, changes nothing.
    """

    resource: str
    holder: str
    ttl_ms: int
    mode: Mode = Mode.EXCLUSIVE
    request: str = ""
    waits: bool = False


class Waiting(NamedTuple):
    """A place in the queue. `position` counts from 1, `now_ms` is the database's clock."""

    obstacles: Obstacles
    position: int
    now_ms: int


def acquire(
    store: Store, resource: str, holder: str, ttl_ms: int, mode: Mode = Mode.EXCLUSIVE
) -> Lease:
    """Grant the lease now, or raise `LeaseHeld`."""
    outcome = ask(store, Wish(resource, holder, ttl_ms, mode))
    if isinstance(outcome, Waiting):
        raise held_error(resource, outcome)
    return outcome


def ask(store: Store, wish: Wish) -> Lease | Waiting:
    """One attempt, in one transaction. Raises `Deadlock` where waiting would close a circle."""
    circled: list[Step] = []
    with store.engine.write() as tx:
        locked, now, tokens, granted, waiting = tx.fetch_all(
            [("meta_locked", ()), ("lease_now", ()), *rows_of(wish.resource)]
        )
        meta = Meta.of(locked, store.url)
        store.notice(meta)
        now_ms = clock_ms(store, now)
        reached = tokens_of(tokens, wish.resource, store.url)
        grants = grants_of(granted, store.url, meta.lease_epoch)
        tickets = tickets_of(waiting, store.url)
        if (known := _answered(wish, grants, now_ms)) is not None:
            return lease_of(known)
        ticket = next((one for one in tickets if one.id == wish.request), None)
        mine = ticket or Ticket(wish.request, NEWEST, wish.resource, wish.mode, wish.holder, 0)
        obstacles = in_the_way(mine, grants, tickets, now_ms)
        if not obstacles:
            return _grant(tx, wish, meta, reached, grants, now_ms, waited=ticket is not None)
        if wish.waits:
            mine = _queue(tx, mine, tickets, now_ms)
            circled = _circle(tx, mine, meta, store.url, now_ms)
            if circled:
                tx.run("drop_lease_ticket", (mine.id,))
    if circled:
        raise _deadlock(wish.resource, circled)
    before = sum(one.number < mine.number and now_ms < one.until_ms for one in tickets)
    return Waiting(obstacles, before + 1, now_ms)


def look(store: Store, wish: Wish) -> Waiting | None:
    """A cheap look from outside: None where it is worth to `ask`, for nothing seems in the way."""
    grants = grants_of(store.engine.read("lease_grants", (wish.resource,)), store.url)
    tickets = tickets_of(store.engine.read("lease_tickets", (wish.resource,)), store.url)
    now_ms = clock_ms(store, store.engine.read("lease_now"))
    mine = next((one for one in tickets if one.id == wish.request), None)
    obstacles = in_the_way(mine, grants, tickets, now_ms) if mine else None
    if mine is None or not obstacles:
        return None
    before = sum(one.number < mine.number and now_ms < one.until_ms for one in tickets)
    return Waiting(obstacles, before + 1, now_ms)


def withdraw(store: Store, resource: str, request: str) -> None:
    """Take a request back: its place in the queue, and what it was granted. Safe to repeat."""
    with store.engine.write() as tx:
        tx.run("drop_lease_ticket", (request,))
        tx.run("end_answer", (resource, request))
        notify(tx, channel(resource))
    ring(store, channel(resource))


def channel(resource: str) -> str:
    """Where those who wait are told that something is out of the way."""
    return f"lease {resource}"


def renew(store: Store, lease: Lease, ttl_ms: int) -> Lease:
    """Prolong under the same token; raises `StaleLease` if it ran out or was taken away."""
    with store.engine.write() as tx:
        locked, now, granted = tx.fetch_all(
            [
                ("meta_locked", ()),
                ("lease_now", ()),
                ("lease_grant", (lease.resource, lease.fence.n)),
            ]
        )
        now_ms = clock_ms(store, now)
        meta = Meta.of(locked, store.url)
        store.notice(meta)
        grants = grants_of(granted, store.url, meta.lease_epoch)
        grant = check_fence(lease, grants, now_ms, reading=True)
        save(tx, grant._replace(expires_ms=now_ms + ttl_ms))
    return lease.model_copy(update={"expires_at": to_datetime(now_ms + ttl_ms)})


def release(store: Store, lease: Lease) -> bool:
    """Give it back; False where it had run out or was taken away. Safe to repeat.

    Its token stays, so that the next holder's is greater.
    """
    named = (lease.resource, lease.fence.n, lease.fence.epoch, lease.holder)
    with store.engine.write() as tx:
        ended, now = tx.fetch_all([("end_lease", named), ("lease_now", ())])
        now_ms = clock_ms(store, now)
        notify(tx, channel(lease.resource))
    ring(store, channel(lease.resource))
    return bool(ended) and now_ms < ended[0][0]


def held_error(resource: str, waiting: Waiting) -> LeaseHeld:
    """Names who is in the way and for how long, and how many wait before the caller."""
    grants, tickets = waiting.obstacles
    holders = sorted({one.holder for one in grants} or {one.holder for one in tickets})
    left_ms = max((one.expires_ms - waiting.now_ms for one in grants), default=0)
    until = to_datetime(waiting.now_ms + left_ms)
    queue = f", until {until:%Y-%m-%d %H:%M:%S} UTC" if grants else ": it is about to be"
    if waiting.position > 1:
        queue += f"; {waiting.position - 1} wait before you"
    return LeaseHeld(
        resource=resource, holder=", ".join(holders), left_s=left_ms / 1_000, queue=queue
    )


def rows_of(resource: str) -> list[tuple[str, tuple[str]]]:
    """The calls that read all there is about a resource."""
    return [("lease", (resource,)), ("lease_grants", (resource,)), ("lease_tickets", (resource,))]


def lease_of(grant: Grant) -> Lease:
    return Lease(
        resource=grant.resource, holder=grant.holder, fence=Fence(grant.epoch, grant.n),
        expires_at=to_datetime(grant.expires_ms), mode=Mode(grant.mode),
    )  # fmt: skip


def _grant(
    tx: Transaction,
    wish: Wish,
    meta: Meta,
    reached: Tokens,
    grants: list[Grant],
    now_ms: int,
    *,
    waited: bool,
) -> Lease:
    resource, n = wish.resource, reached.n + 1
    if any(one.expires_ms <= now_ms for one in grants):
        tx.run("end_late_leases", (resource, now_ms))
    elif len(grants) >= LEASE_GRANTS_MAX:
        raise LimitExceeded(
            what="number of leases", name=resource, actual=len(grants) + 1, limit=LEASE_GRANTS_MAX
        )
    if waited:
        tx.run("drop_lease_ticket", (wish.request,))
    save(tx, Tokens(resource, n, reached.guard if wish.mode is Mode.READ else n))
    grant = Grant(
        resource, n, meta.lease_epoch, wish.holder, wish.mode, now_ms + wish.ttl_ms, wish.request
    )
    save(tx, grant)
    return lease_of(grant)


def _answered(wish: Wish, grants: list[Grant], now_ms: int) -> Grant | None:
    """What was granted to this very request, so that its answer can be given again."""
    found = (one for one in grants if wish.request and one.request == wish.request)
    return next((one for one in found if now_ms < one.expires_ms), None)


def _queue(tx: Transaction, mine: Ticket, tickets: list[Ticket], now_ms: int) -> Ticket:
    """Take a place in the queue, or show that the waiter is still there."""
    late = sum(one.until_ms <= now_ms and one.id != mine.id for one in tickets)
    if late:
        tx.run("drop_late_tickets", (mine.resource, now_ms, mine.id))
    number = mine.number
    if number == NEWEST:
        waiting = len(tickets) - late + 1
        if waiting > LEASE_TICKETS_MAX:
            raise LimitExceeded(
                what="queue", name=mine.resource, actual=waiting, limit=LEASE_TICKETS_MAX
            )
        [(number,)] = tx.fetch("next_lease_ticket")
    mine = mine._replace(number=number, until_ms=now_ms + LEASE_TICKET_MS)
    save(tx, mine)
    return mine


def _circle(tx: Transaction, mine: Ticket, meta: Meta, url: str, now_ms: int) -> list[Step]:
    grants = grants_of(tx.fetch("stream_lease_grant"), url, meta.lease_epoch)
    return circle(mine, grants, tickets_of(tx.fetch("stream_lease_ticket"), url), now_ms)


def _deadlock(resource: str, circled: list[Step]) -> Deadlock:
    said = (f"{one.holder!r} waits for {one.resource!r} behind {one.by!r}" for one in circled)
    return Deadlock(resource=resource, circle=", ".join(said))
