"""Looking into inboxes, dead letters, and letting go of what has expired.

A message is forgotten, with the operations that were done under it, when its deadline has passed.
One that is being worked on then may still be acknowledged; it is only not handed out again.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from memtend.clock import to_datetime
from memtend.errors import NoMessage
from memtend.limits import INBOX_BYTES_MAX, INBOX_MESSAGES_MAX, MESSAGE_PAGE
from memtend.model.message import OPERATIONS, Backlog, Message, MessageFacts
from memtend.store.messages_books import Books, now_ms, writing
from memtend.store.messages_rows import ANSWERS, Delivery, Held, Inbox, held, opened
from memtend.store.notify import notify, ring

if TYPE_CHECKING:
    from memtend.store.engine import Row
    from memtend.store.store import Store


class Purged(NamedTuple):
    """Deliveries that were never acknowledged, and messages of which nothing is known any more."""

    deliveries: int = 0
    messages: int = 0

    def plus(self, other: Purged) -> Purged:
        return Purged(self.deliveries + other.deliveries, self.messages + other.messages)


def letters(store: Store, inbox: str, *, dead: bool, limit: int) -> list[Message]:
    """What is in an inbox, in the order of sending. Nobody's turn changes by looking."""
    rows = store.engine.read("letters", (inbox, int(dead), -1, limit))
    return [held(row, store.url).shown() for row in rows]


def letter(store: Store, inbox: str, id_: str) -> Message | None:
    """One that is alive, by its id."""
    rows = store.engine.read("letter_of", (inbox, id_))
    return held(rows[0], store.url).shown() if rows else None


def backlog(store: Store, inbox: str) -> Backlog:
    rows = store.engine.read("inboxes", (store.engine.array([inbox]),))
    found = opened(Inbox._make, rows[0], store.url) if rows else Inbox(inbox)
    [(oldest_ms,)] = store.engine.read("oldest_in_inbox", (inbox,))
    oldest_at = None if oldest_ms is None else to_datetime(oldest_ms)
    return Backlog(inbox, found.waiting, found.size, found.dead, oldest_at)


def inboxes(store: Store) -> list[str]:
    """Those that hold something, answers aside."""
    return [row[0] for row in store.engine.read("message_totals") if ANSWERS not in row[0]]


def message_facts(store: Store) -> MessageFacts:
    """The figures by which messages are judged; as costly as there are inboxes and lanes."""
    rows = [opened(Inbox._make, row, store.url) for row in store.engine.read("message_totals")]
    [(oldest_ms,)] = store.engine.read("oldest_message")
    shares = [(_share(one), one.name) for one in rows]
    fullest, name = max(shares, default=(0.0, ""))
    return MessageFacts(
        inboxes=sum(ANSWERS not in one.name for one in rows),
        waiting=sum(one.waiting for one in rows),
        dead=sum(one.dead for one in rows),
        oldest_ms=oldest_ms,
        fullest=fullest,
        fullest_inbox=name,
    )


def _share(inbox: Inbox) -> float:
    count = (inbox.waiting + inbox.dead) / INBOX_MESSAGES_MAX
    return max(count, inbox.size / INBOX_BYTES_MAX)


def mark(store: Store) -> Row:
    """Changes with whatever was sent, settled or died: for who wants to know whether anything did.

    Two of them are compared; they say nothing by themselves.
    """
    return tuple(map(int, store.engine.read("message_mark")[0]))


def retry(store: Store, inbox: str, id_: str) -> None:
    """Give a dead letter new tries, at its old place; raises `NoMessage`."""
    with writing(store, [("letters_of", (inbox, id_))]) as (books, [rows]):
        one = _letter(books, rows, inbox, id_)
        books.revive(one.delivery)
        notify(books.tx, inbox)
    ring(store, inbox)


def discard(store: Store, inbox: str, id_: str) -> None:
    """Let a dead letter go. Its id stays known, so that it is not sent again by mistake."""

    def drop() -> None:
        with writing(store, [("letters_of", (inbox, id_))]) as (books, [rows]):
            books.end(_letter(books, rows, inbox, id_).delivery)

    store.ballast.deleting(drop)


def _letter(books: Books, rows: list[Row], inbox: str, id_: str) -> Held:
    if not rows:
        raise NoMessage(what="dead letter", id=id_, inbox=inbox)
    return held(rows[0], books.url)


def purge(store: Store) -> Purged:
    """Drop what has expired, a page at a time. Nothing is called expired under a clock alarm."""
    total = Purged()
    after: tuple[int, int] | None = (-1, -1)
    while after is not None and store.clock.alarm_ms is None:
        page = partial(_purge_page, store, after)
        step, after = store.ballast.deleting(page)
        total = total.plus(step)
    return total


def _purge_page(store: Store, after: tuple[int, int]) -> tuple[Purged, tuple[int, int] | None]:
    found = store.engine.read("expired_messages", (*after, now_ms(store), MESSAGE_PAGE))
    if not found:
        return Purged(), None
    with writing(store, [("message_last", ())]) as (books, [[(last,)]]):
        rows = books.tx.fetch("expired_messages", (*after, books.now_ms, MESSAGE_PAGE))
        numbers = store.engine.array([row[0] for row in rows])
        busy, dropped = set(), 0
        for row in books.tx.fetch("deliveries_of", (numbers,)):
            delivery = opened(Delivery._make, row, store.url)
            if delivery.visible_ms > books.now_ms or delivery.expires_ms > books.now_ms:
                busy.add(delivery.no)  # being worked on, or a dead letter that is kept for longer
            else:
                books.end(delivery)
                dropped += 1
        # The last number stays, so that none is given twice.
        gone = [(no, id_) for no, id_, _ in rows if no not in busy and no != last]
        forget(books, gone)
    no, _, expires_ms = rows[-1] if rows else found[-1]
    return Purged(dropped, len(gone)), (expires_ms, no)


def forget(books: Books, gone: list[tuple[int, str]]) -> None:
    """Let go of messages without deliveries, and of the operations that were done under them."""
    if gone:
        books.forget([no for no, _ in gone])
        for _, id_ in gone:  # `0` follows `/`
            books.tx.run("forget_message_ops", (f"{OPERATIONS}{id_}/", f"{OPERATIONS}{id_}0"))
