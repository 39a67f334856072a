"""Who is next: the queue for a resource, and circles of those who wait for each other. Pure.

A request is granted when nothing is in its way: no living lease that does not go together with
it, and no earlier living ticket of that kind. So readers do not overtake a waiting writer that
they would keep out, and nobody is held up by whom he does not disturb.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from memtend.model.lease import go_together

NEWEST: Final = 2**63 - 1
"""The number of a request that has no ticket: everybody who waits was there before."""


class Grant(NamedTuple):
    """A row of `lease_grant`. It lives until `expires_ms`, exclusive."""

    resource: str
    n: int
    epoch: int
    holder: str
    mode: str
    expires_ms: int
    request: str = ""


class Ticket(NamedTuple):
    """A row of `lease_ticket`. Whoever waits prolongs `until_ms`; after it the place is lost."""

    id: str
    number: int
    resource: str
    mode: str
    holder: str
    until_ms: int


class Obstacles(NamedTuple):
    grants: tuple[Grant, ...]
    tickets: tuple[Ticket, ...]

    def __bool__(self) -> bool:
        return bool(self.grants or self.tickets)


def in_the_way(
    wish: Ticket, grants: Iterable[Grant], tickets: Iterable[Ticket], now_ms: int
) -> Obstacles:
    """What has to end before `wish` can be granted."""
    resource, mode = wish.resource, wish.mode
    return Obstacles(
        tuple(
            one for one in grants
            if one.resource == resource and now_ms < one.expires_ms
            and not go_together(one.mode, mode)
        ),
        tuple(
            one for one in tickets
            if one.resource == resource and one.number < wish.number and now_ms < one.until_ms
            and not go_together(one.mode, mode)
        ),
    )  # fmt: skip


class Step(NamedTuple):
    """One of a circle: `holder` waits for `resource`, which `by` keeps from him."""

    holder: str
    resource: str
    by: str


def circle(
    me: Ticket, grants: Sequence[Grant], tickets: Sequence[Ticket], now_ms: int
) -> list[Step]:
    """The circle that `me` closes, from me back to me; empty if none.

    Only tickets older than mine are followed: of every circle exactly its youngest ticket sees it.
    Of a queue's tickets of one mode only the last is looked at: what is in the way of those before
    it is in its way, too. So it takes as long as the queues are, not as many times as they are.
    """
    older = [one for one in tickets if one.number < me.number and now_ms < one.until_ms]
    paths: list[tuple[Ticket, list[Step]]] = [(me, [])]
    seen = {me.id}
    looked: dict[tuple[str, str], int] = {}
    while paths:
        ticket, path = paths.pop()
        kind = ticket.resource, ticket.mode
        if looked.get(kind, -1) >= ticket.number:
            continue
        looked[kind] = ticket.number
        obstacles = in_the_way(ticket, grants, tickets, now_ms)
        for grant in obstacles.grants:
            steps = [*path, Step(ticket.holder, ticket.resource, grant.holder)]
            if grant.holder == me.holder:
                return steps
            for other in older:
                if other.holder == grant.holder and other.id not in seen:
                    seen.add(other.id)
                    paths.append((other, steps))
        for other in obstacles.tickets:
            if other.id not in seen:
                seen.add(other.id)
                paths.append((other, [*path, Step(ticket.holder, ticket.resource, other.holder)]))
    return []
