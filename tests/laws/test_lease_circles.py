"""Many clients, several resources, random turns: the queue, and exactly one victim per circle.

The model says only what is fair and who waits for whom; who is served by whom is looked for by
trying everything, not by the store's own search.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from memtend.errors import Deadlock, StaleLease
from memtend.memory import Memory
from memtend.model.lease import Lease, Mode
from memtend.store import leases
from memtend.store.leases import Waiting, Wish
from tests.laws.lease_explorer import SetClock
from tests.laws.lease_model import CONFLICTS, TICKET_MS, TTL_MS

CLIENTS, RESOURCES = "abcd", "xyz"
clients, resources, modes = (st.sampled_from(kind) for kind in (CLIENTS, RESOURCES, list(Mode)))

Waits = tuple[str, str, Mode, int]
"""Who waits for what, how, and until when he is believed to be there."""


class Queues(RuleBasedStateMachine):
    """A client holds any number of leases and waits for at most one at a time."""

    @initialize()
    def begin(self) -> None:
        self.clock = SetClock()
        self.memory = Memory.open("sqlite://", clock=self.clock)
        self.memory.put("n", "k", 0)
        self.held: list[tuple[str, Lease, int]] = []
        self.queue: list[Waits] = []
        self.numbers = count(1)
        self.wishes: dict[str, Wish] = {}
        self.tokens: dict[str, int] = {}

    def teardown(self) -> None:
        if hasattr(self, "memory"):
            self.memory.close()

    @rule(client=clients, resource=resources, mode=modes)
    def ask(self, client: str, resource: str, mode: Mode) -> None:
        """A client asks for something new, or again for what it waits for."""
        wish = self.wishes.get(client)
        if wish is None:
            name = f"{client}-{next(self.numbers)}"
            wish = Wish(resource, client, TTL_MS, mode, name, waits=True)
        places = [one[0] for one in self.queue]
        place = places.index(client) if client in places else len(places)
        mine = (client, wish.resource, wish.mode, self.clock.ms + TICKET_MS)
        after = [*self.queue[:place], mine, *self.queue[place + 1 :]]
        blocked = self._blockers(mine, after)
        circle = self._reaches(client, client, after[: place + 1])
        try:
            outcome: Any = leases.ask(self.memory.store, wish)
        except Deadlock:
            assert blocked
            assert circle, "a deadlock without a circle"
            self.queue = [one for one in self._cleared(after, mine) if one[0] != client]
            self.wishes.pop(client, None)
            return
        if isinstance(outcome, Waiting):
            assert blocked, "waits for nobody"
            assert not circle, "a circle goes unnoticed"
            self.queue, self.wishes[client] = self._cleared(after, mine), wish
            return
        assert not blocked, f"{client} was let in too early"
        assert outcome.fence.n > self.tokens.get(wish.resource, 0), "a token twice"
        self.tokens[wish.resource] = outcome.fence.n
        self.queue = [one for one in after if one[0] != client]
        self.wishes.pop(client, None)
        self.held.append((client, outcome, self.clock.ms + TTL_MS))

    @rule(client=clients)
    def give_up(self, client: str) -> None:
        wish = self.wishes.pop(client, None)
        if wish is not None:
            leases.withdraw(self.memory.store, wish.resource, wish.request)
            self.queue = [one for one in self.queue if one[0] != client]

    @rule(which=st.integers(0, 20))
    def release(self, which: int) -> None:
        if self.held:
            _, lease, until = self.held.pop(which % len(self.held))
            assert leases.release(self.memory.store, lease) == (self.clock.ms < until)

    @rule(which=st.integers(0, 20))
    def write(self, which: int) -> None:
        if self.held:
            _, lease, until = self.held[which % len(self.held)]
            if lease.mode is not Mode.READ:
                try:
                    self.memory.put("n", "k", lease.fence.n, lease=lease)
                except StaleLease:
                    assert self.clock.ms >= until, "a good lease is refused"
                else:
                    assert self.clock.ms < until, "a stale write is accepted"

    @rule(ms=st.sampled_from([1, TICKET_MS // 2, TICKET_MS, TTL_MS]))
    def pass_time(self, ms: int) -> None:
        self.clock.ms += ms

    @invariant()
    def everybody_is_where_he_should_be(self) -> None:
        if not hasattr(self, "memory"):
            return
        now = self.clock.ms
        found = self.memory.leases.held()
        holders = {
            (one.resource, lease.holder, lease.fence.n) for one in found for lease in one.leases
        }
        assert holders == {
            (lease.resource, client, lease.fence.n)
            for client, lease, until in self.held
            if now < until
        }
        waiting = [(one.resource, waiter.holder) for one in found for waiter in one.waiting]
        expected = [(one[1], one[0]) for one in self.queue if now < one[3]]
        assert sorted(waiting) == sorted(expected)
        for resource in RESOURCES:
            assert [w for w in waiting if w[0] == resource] == [
                e for e in expected if e[0] == resource
            ]

    def _blockers(self, mine: Waits, queue: list[Waits]) -> set[str]:
        """Who holds, or waits before, what does not go with it."""
        _, resource, mode, _ = mine
        now, place = self.clock.ms, queue.index(mine)
        return {
            client
            for client, lease, until in self.held
            if lease.resource == resource and now < until and CONFLICTS[lease.mode, mode]
        } | {
            one[0]
            for one in queue[:place]
            if one[1] == resource and now < one[3] and CONFLICTS[one[2], mode]
        }

    def _cleared(self, queue: list[Waits], mine: Waits) -> list[Waits]:
        """Whoever joins a queue clears away the dead that wait for the same."""
        return [one for one in queue if one[1] != mine[1] or self.clock.ms < one[3]]

    def _reaches(
        self, start: str, goal: str, queue: list[Waits], seen: frozenset[str] = frozenset()
    ) -> bool:
        """Whether `goal` is among those for whom `start`, by its ticket, waits in the end."""
        for ticket in queue:
            if ticket[0] != start or self.clock.ms >= ticket[3]:
                continue
            for other in self._blockers(ticket, queue):
                if other == goal:
                    return True
                if other not in seen and self._reaches(other, goal, queue, seen | {other}):
                    return True
        return False


TestQueues = Queues.TestCase
TestQueues.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
