"""What leases promise, said again in the simplest way, to hold the store against.

One resource; clients are numbers. The matrix of modes is written out here on purpose.
"""

from __future__ import annotations

from typing import NamedTuple

TTL_MS = 10_000
TICKET_MS = 5_000
CONFLICTS = {
    ("read", "read"): False, ("read", "write"): False, ("read", "exclusive"): True,
    ("write", "read"): False, ("write", "write"): True, ("write", "exclusive"): True,
    ("exclusive", "read"): True, ("exclusive", "write"): True, ("exclusive", "exclusive"): True,
}  # fmt: skip


class Granted(NamedTuple):
    token: int
    client: int
    mode: str
    until_ms: int


class Queued(NamedTuple):
    client: int
    mode: str
    until_ms: int


class Promise(NamedTuple):
    """A state. Whoever was granted something stays in `granted` until replaced or released."""

    now_ms: int = 0
    tokens: int = 0
    granted: tuple[Granted, ...] = ()
    queue: tuple[Queued, ...] = ()

    def ask(self, client: int, mode: str) -> tuple[Promise, int | None]:
        """The token, or None and a place in the queue."""
        now = self.now_ms
        places = [one.client for one in self.queue]
        ahead = self.queue[: places.index(client)] if client in places else self.queue
        rivals: list[Granted | Queued] = [*self.granted, *ahead]
        blocked = any(CONFLICTS[one.mode, mode] for one in rivals if now < one.until_ms)
        if blocked:
            mine = Queued(client, mode, now + TICKET_MS)
            others = [one for one in self.queue if now < one.until_ms or one.client == client]
            kept = tuple(mine if one.client == client else one for one in others)
            return self._replace(queue=kept if client in places else (*kept, mine)), None
        token = self.tokens + 1
        alive = tuple(one for one in self.granted if now < one.until_ms)
        mine_too = Granted(token, client, mode, now + TTL_MS)
        queue = tuple(one for one in self.queue if one.client != client)
        return self._replace(tokens=token, granted=(*alive, mine_too), queue=queue), token

    def holds(self, token: int) -> Granted | None:
        found = (one for one in self.granted if one.token == token and self.now_ms < one.until_ms)
        return next(found, None)

    def may_write(self, token: int) -> bool:
        grant = self.holds(token)
        return grant is not None and grant.mode != "read"

    def renew(self, token: int) -> tuple[Promise, bool]:
        grant = self.holds(token)
        if grant is None:
            return self, False
        later = grant._replace(until_ms=self.now_ms + TTL_MS)
        return self._replace(
            granted=tuple(later if one == grant else one for one in self.granted)
        ), True

    def release(self, token: int) -> tuple[Promise, bool]:
        held = self.holds(token) is not None
        left = tuple(one for one in self.granted if one.token != token)
        return self._replace(granted=left), held

    def leave(self, client: int) -> Promise:
        return self._replace(queue=tuple(one for one in self.queue if one.client != client))

    def tick(self, ms: int) -> Promise:
        return self._replace(now_ms=self.now_ms + ms)
