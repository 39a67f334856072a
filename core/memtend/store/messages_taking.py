"""Receiving messages: handed out with a receipt, settled with it, handed out again without.

The receipt is the right to settle a message. Whoever lets its visibility run out keeps that right
until somebody else has got the message; from then on the old receipt is refused, so that nobody
believes to have done what another is doing again.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from memtend.errors import StaleReceipt
from memtend.limits import MESSAGES_SETTLED_MAX
from memtend.model.message import Message
from memtend.store.messages_books import Books, about, is_over, writing
from memtend.store.messages_rows import Held, Lane, held, opened
from memtend.store.notify import notify, ring

if TYPE_CHECKING:
    from memtend.store.engine import Call, Row
    from memtend.store.store import Store


def next_due(store: Store, inbox: str, topic: str = "") -> int | None:
    """In how many milliseconds something can be handed out; None where nothing waits. No lock."""
    due_ms, at_ms = _due(store, inbox, topic)
    return None if due_ms is None else max(0, due_ms - at_ms)


def receive(
    store: Store, inbox: str, *, limit: int, visible_ms: int, topic: str = ""
) -> list[Message]:
    """Up to `limit` messages, one per sender at most, those first that have been free longest."""
    while True:
        due_ms, at_ms = _due(store, inbox, topic)
        if due_ms is None or due_ms > at_ms:
            return []
        taking = _Taking(store, inbox, visible_ms, topic)
        found = store.ballast.deleting(partial(taking.take, limit, at_ms))
        if found or not taking.settled:
            return found


def _due(store: Store, inbox: str, topic: str) -> tuple[int | None, int]:
    """When the next message can be had, and what time it is."""
    statement = "next_due_of_topic" if topic else "next_due"
    [(due_ms, at_ms)] = store.engine.read(statement, (inbox, topic) if topic else (inbox,))
    return due_ms, at_ms or store.clock.now_ms()


class _Taking:
    """One transaction that hands out messages; `settled` counts what it cleared away instead."""

    def __init__(self, store: Store, inbox: str, visible_ms: int, topic: str) -> None:
        self._store = store
        self._inbox = inbox
        self._visible_ms = visible_ms
        self._topic = topic
        self.settled = 0

    def take(self, limit: int, due_ms: int) -> list[Message]:
        found: list[Message] = []
        self.settled = 0
        with writing(self._store, [self._lanes(limit, due_ms)]) as (books, [lanes]):
            for row in lanes:
                lane = opened(Lane._make, row, books.url)
                taken = self._head(books, lane)
                if taken is not None:
                    found.append(taken)
                if len(found) == limit or self.settled >= MESSAGES_SETTLED_MAX:
                    break
        return found

    def _lanes(self, limit: int, due_ms: int) -> Call:
        if self._topic:
            return "lanes_of_topic", (self._inbox, due_ms, self._topic, limit)
        return "lanes_due", (self._inbox, due_ms, limit)

    def _head(self, books: Books, lane: Lane) -> Message | None:
        """Hand out the first message of a lane; on the way, clear away what none is to get."""
        while self.settled < MESSAGES_SETTLED_MAX:
            place = (lane.inbox, lane.sender)
            if self._topic:
                rows = books.tx.fetch("head_of_topic", (*place, self._topic))
            else:
                rows = books.tx.fetch("head", place)
            if not rows:
                return None
            one = held(rows[0], books.url)
            message, delivery = one.message, one.delivery
            if message is not None and is_over(self._store, delivery.expires_ms, books.now_ms):
                books.end(delivery)
            elif message is None or delivery.tries >= message.tries_max:
                books.bury(one)
            else:
                return self._hand_out(books, one)
            self.settled += 1
        return None

    def _hand_out(self, books: Books, one: Held) -> Message:
        until_ms, receipt = books.now_ms + self._visible_ms, self._store.clock.new_id()
        delivery = one.delivery
        out = delivery._replace(visible_ms=until_ms, tries=delivery.tries + 1, receipt=receipt)
        books.save(out)
        books.save_lane(Lane(out.inbox, out.sender, until_ms, out.no))
        return one._replace(delivery=out).shown(receipt)


def ack(store: Store, message: Message) -> None:
    """It is done. Raises `StaleReceipt`; the same acknowledgement again changes nothing."""

    def settle() -> None:
        with writing(store, _reads(store, message)) as (books, [rows, known, *more]):
            books.know(message.inbox, message.sender, more)
            if not rows and known and known[0][2] == message.receipt != "":
                return
            books.end(_claimed(books, rows, message).delivery, message.receipt)
            notify(books.tx, message.inbox)

    store.ballast.deleting(settle)
    ring(store, message.inbox)


def nack(store: Store, message: Message, delay_ms: int) -> None:
    """Give it back: it comes again, after `delay_ms`, or is a dead letter if that was its last try.

    Until then it holds back what the same sender has sent later.
    """
    with writing(store, _reads(store, message)) as (books, [rows, _, *more]):
        books.know(message.inbox, message.sender, more)
        one = _claimed(books, rows, message)
        delivery = one.delivery
        if one.message is None or delivery.tries >= one.message.tries_max:
            books.bury(one)
        else:
            lane = books.lane(delivery.inbox, delivery.sender)
            if lane is not None and lane.no not in (0, delivery.no) and lane.due_ms > books.now_ms:
                due_ms = 0  # its time ran out, and another holds the lane: it waits like the rest
            else:
                due_ms = books.now_ms + delay_ms
                books.save_lane(Lane(delivery.inbox, delivery.sender, due_ms, delivery.no))
            books.save(delivery._replace(visible_ms=due_ms, receipt=""))
        notify(books.tx, message.inbox)
    ring(store, message.inbox)


def give_back(store: Store, message: Message) -> None:
    """As if it had never been handed out: nobody has seen it, so it has not been tried."""
    with writing(store, _reads(store, message)) as (books, [rows, _, *more]):
        books.know(message.inbox, message.sender, more)
        delivery = _claimed(books, rows, message).delivery
        books.save(delivery._replace(visible_ms=0, tries=delivery.tries - 1, receipt=""))
        lane = books.lane(delivery.inbox, delivery.sender)
        if lane is not None and lane.no == delivery.no:
            books.save_lane(Lane(delivery.inbox, delivery.sender, books.now_ms))
        notify(books.tx, message.inbox)
    ring(store, message.inbox)


def extend(store: Store, message: Message, visible_ms: int) -> Message:
    """Keep it for longer, counted from now, under the same receipt."""
    with writing(store, _reads(store, message)) as (books, [rows, _, *more]):
        books.know(message.inbox, message.sender, more)
        one = _claimed(books, rows, message)
        lane = books.lane(message.inbox, message.sender)
        if lane is None or lane.no != message.number:
            why = "its visibility ran out, and another message of its sender is being worked on"
            raise StaleReceipt(id=message.id, inbox=message.inbox, why=why)
        out = one.delivery._replace(visible_ms=books.now_ms + visible_ms)
        books.save(out)
        books.save_lane(Lane(out.inbox, out.sender, out.visible_ms, out.no))
        return one._replace(delivery=out).shown(message.receipt)


def _reads(store: Store, message: Message) -> list[Call]:
    place = (message.inbox, 0, message.sender, message.number)
    own: list[Call] = [("held", place), ("message_of", (message.id,))]
    return [*own, *about(store, message.inbox, message.sender)]


def _claimed(books: Books, rows: list[Row], message: Message) -> Held:
    """The delivery that the receipt is for; raises `StaleReceipt`."""
    if not rows:
        why = "the message has ended: acknowledged, expired, discarded or a dead letter"
        raise StaleReceipt(id=message.id, inbox=message.inbox, why=why)
    one = held(rows[0], books.url)
    if not message.receipt or one.delivery.receipt != message.receipt:
        why = "it was given back, or its visibility ran out and it was handed out again"
        raise StaleReceipt(id=message.id, inbox=message.inbox, why=why)
    return one
