"""Messages within one write transaction: deliveries, whose turn it is, and totals, kept in step.

A sender's messages to one inbox form a lane. While one of them is being worked on, or delayed, the
lane is held by it, and nothing else of that sender is handed out there. Each step touches the rows
of one delivery, one lane and one inbox, however many messages wait.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from memtend.limits import MESSAGE_DEAD_KEEP_MS
from memtend.store.engine import Call, Row, Transaction
from memtend.store.messages_rows import Delivery, Held, Inbox, Lane, opened, sealed
from memtend.store.meta import Meta
from memtend.store.store import ConfigChanged

if TYPE_CHECKING:
    from memtend.store.store import Store


class Books:
    """`now_ms` is the server's clock where there is a server: all clients then agree."""

    def __init__(self, store: Store, tx: Transaction, meta: Meta, now_ms: int) -> None:
        self.tx = tx
        self.meta = meta
        self.now_ms = now_ms
        self.url = store.url
        self._store = store
        self._array = store.engine.array
        self._lanes: dict[tuple[str, str], Lane | None] = {}
        self._live: dict[tuple[str, str], list[int]] = {}
        self._inboxes: dict[str, Inbox] = {}
        self._counted: set[str] = set()

    # lanes

    def know(self, inbox: str, sender: str, answers: Sequence[list[Row]]) -> None:
        """Take what `about` has asked for together with other things."""
        lanes, numbers, inboxes = answers
        self._lanes[inbox, sender] = opened(Lane._make, lanes[0], self.url) if lanes else None
        self._live[inbox, sender] = [no for (no,) in numbers]
        self.know_inboxes([inbox], inboxes)

    def lane(self, inbox: str, sender: str) -> Lane | None:
        if (inbox, sender) not in self._lanes:
            self.know(inbox, sender, self.tx.fetch_all(about(self._store, inbox, sender)))
        return self._lanes[inbox, sender]

    def save_lane(self, lane: Lane) -> None:
        self._lanes[lane.inbox, lane.sender] = lane
        self.tx.run("save_lane", sealed(lane))

    def step_aside(self, delivery: Delivery) -> None:
        """After a delivery has left its lane, or given it up: the next one may come."""
        place = (delivery.inbox, delivery.sender)
        lane = self.lane(*place)
        live = self._live.pop(place, None)  # it changes with every step
        if live is None:
            live = [no for (no,) in self.tx.fetch("live_nos", place)]
        if not any(no != delivery.no for no in live):
            self._lanes[place] = None
            self.tx.run("drop_lane", place)
        elif lane is None or lane.no == delivery.no:
            self.save_lane(Lane(*place, self.now_ms))

    # deliveries

    def add(self, delivery: Delivery) -> None:
        self.tx.run("add_delivery", sealed(delivery))
        self._count(delivery, 1)

    def save(self, delivery: Delivery) -> None:
        """A new deadline, visibility, try or receipt."""
        *_, crc = sealed(delivery)
        self.tx.run("save_delivery", (*delivery[7:], crc, *delivery.key))

    def end(self, delivery: Delivery, receipt: str = "") -> None:
        """It is done, expired or discarded: the inbox is rid of it."""
        self.tx.run("drop_delivery", delivery.key)
        self.tx.run("settle_message", (receipt, b"", delivery.no))
        self._count(delivery, -1)
        if not delivery.dead:
            self.step_aside(delivery)

    def bury(self, held: Held) -> None:
        """Make it a dead letter: kept for people to look at, out of the way of the rest."""
        delivery, message = held.delivery, held.message
        keep_until = self.now_ms + MESSAGE_DEAD_KEEP_MS
        dead = delivery._replace(
            dead=1, visible_ms=0, receipt="", expires_ms=max(delivery.expires_ms, keep_until)
        )
        self.tx.run("drop_delivery", delivery.key)
        self._count(delivery, -1)
        self.add(dead)
        if message is not None and message.expires_ms < dead.expires_ms:
            later = message._replace(expires_ms=dead.expires_ms)
            self.tx.run("prolong_message", (dead.expires_ms, sealed(later)[-1], message.no))
        self.step_aside(delivery)

    def revive(self, delivery: Delivery) -> None:
        """Back into its lane, at its old place, as if it had never been tried."""
        self.tx.run("drop_delivery", delivery.key)
        self._count(delivery, -1)
        self.add(delivery._replace(dead=0, tries=0, visible_ms=0, receipt=""))
        if self.lane(delivery.inbox, delivery.sender) is None:
            self.save_lane(Lane(delivery.inbox, delivery.sender, self.now_ms))

    def forget(self, numbers: Sequence[int]) -> None:
        """Messages that have no delivery any more."""
        self.tx.run("forget_messages", (self._array(list(numbers)),))

    # totals

    def inboxes(self, names: Sequence[str]) -> list[Inbox]:
        """What these inboxes hold, with what this transaction has changed so far."""
        missing = [name for name in names if name not in self._inboxes]
        if missing:
            self.know_inboxes(missing, self.tx.fetch("inboxes", (self._array(missing),)))
        return [self._inboxes[name] for name in names]

    def know_inboxes(self, names: Sequence[str], rows: list[Row]) -> None:
        found = {row[0]: opened(Inbox._make, row, self.url) for row in rows}
        for name in names:
            self._inboxes.setdefault(name, found.get(name, Inbox(name)))

    def _count(self, delivery: Delivery, by: int) -> None:
        [inbox] = self.inboxes([delivery.inbox])
        self._counted.add(inbox.name)
        live, dead = by * (not delivery.dead), by * delivery.dead
        self._inboxes[inbox.name] = Inbox(
            inbox.name, inbox.waiting + live, inbox.size + by * delivery.size, inbox.dead + dead
        )

    def flush(self) -> None:
        for name in sorted(self._counted):
            inbox = self._inboxes[name]
            if inbox.waiting or inbox.dead:
                self.tx.run("save_inbox", sealed(inbox))
            else:
                self.tx.run("drop_inbox", (inbox.name,))


@contextmanager
def writing(
    store: Store, reads: Sequence[Call] = (), config: int | None = None
) -> Iterator[tuple[Books, list[list[Row]]]]:
    """One short write transaction. With `config`, `ConfigChanged` unless grants are still those."""
    with store.engine.write() as tx:
        calls: list[Call] = [("meta_locked", ()), ("message_time", ()), *reads]
        locked, time, *answers = tx.fetch_all(calls)
        meta = Meta.of(locked, store.url)
        store.notice(meta)
        if config not in (None, meta.config):
            raise ConfigChanged(meta.config)
        books = Books(store, tx, meta, time[0][0] or store.clock.now_ms())
        yield books, answers
        books.flush()


def about(store: Store, inbox: str, sender: str) -> list[Call]:
    """What has to be known to change one lane, for `Books.know`: one round trip with the rest."""
    place = (inbox, sender)
    return [("lane", place), ("live_nos", place), ("inboxes", (store.engine.array([inbox]),))]


def now_ms(store: Store) -> int:
    [(server_ms,)] = store.engine.read("message_time")
    return int(server_ms or store.clock.now_ms())


def is_over(store: Store, expires_ms: int, at_ms: int) -> bool:
    """Whether a deadline has passed. While a clock is not to be believed, none has."""
    return expires_ms <= at_ms and store.clock.alarm_ms is None
