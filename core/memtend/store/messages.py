"""Sending messages: once into the store, one delivery for each inbox, in one transaction.

A message is data like any other: it is there when `send` returns, it is in backups, and it is
checked. A repeated id is accepted and does nothing, for as long as the message is remembered: until
its deadline, also when it has long been worked on. The id of another sender's message, or of one to
somebody else, is refused: what `send` returns for is delivered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from memtend.errors import InboxFull, MessageIdTaken
from memtend.limits import INBOX_BYTES_MAX, INBOX_MESSAGES_MAX
from memtend.store.messages_books import Books, writing
from memtend.store.messages_rows import Delivery, Lane, Stored, opened, sealed
from memtend.store.notify import notify, ring

if TYPE_CHECKING:
    from memtend.store.engine import Call, Row
    from memtend.store.store import Store


class Letter(NamedTuple):
    """A message made ready outside of the lock: checked and encoded.

    With `swarm`, it goes to every member but the sender, else to `inboxes`.
    """

    id: str
    sender: str
    recipient: str
    topic: str
    reply_to: str
    ttl_ms: int
    tries_max: int
    body: bytes
    inboxes: tuple[str, ...] = ()
    swarm: bool = False


def send(store: Store, letter: Letter, *, config: int | None = None) -> tuple[str, ...]:
    """Send it; the inboxes it went to, none where it was sent already. Raises `InboxFull`."""
    reads: list[Call] = [("message_of", (letter.id,)), ("message_last", ())]
    if letter.swarm:
        reads.append(("members", (letter.recipient,)))
    else:
        reads += _places(store, letter, letter.inboxes)
    with writing(store, reads, config) as (books, answers):
        known, [(last,)], *more = answers
        if known:
            if known[0][3:] != (letter.sender, letter.recipient):
                raise MessageIdTaken(id=letter.id)
            return ()
        inboxes = letter.inboxes
        if letter.swarm:
            inboxes = tuple(agent for (agent,) in more[0] if agent != letter.sender)
            more = books.tx.fetch_all(_places(store, letter, inboxes))
        totals, lanes = more
        books.know_inboxes(inboxes, totals)
        _check_room(books, inboxes, len(letter.body))
        _write(books, letter, last + 1, inboxes, lanes)
        for inbox in inboxes:
            notify(books.tx, inbox)
    for inbox in inboxes:
        ring(store, inbox)
    return inboxes


def _check_room(books: Books, inboxes: Sequence[str], size: int) -> None:
    for inbox in books.inboxes(inboxes):
        count = inbox.waiting + inbox.dead
        if count + 1 > INBOX_MESSAGES_MAX or inbox.size + size > INBOX_BYTES_MAX:
            raise InboxFull(inbox=inbox.name, count=count, size=inbox.size)


def _places(store: Store, letter: Letter, inboxes: Sequence[str]) -> list[Call]:
    """What the inboxes hold, and where the sender has something in them already."""
    names = store.engine.array(inboxes)
    return [("inboxes", (names,)), ("lanes_of_sender", (letter.sender, names))]


def _write(books: Books, letter: Letter, no: int, inboxes: Sequence[str], lanes: list[Row]) -> None:
    tx, now = books.tx, books.now_ms
    expires_ms, size = now + letter.ttl_ms, len(letter.body)
    stored = Stored(
        no, letter.id, letter.sender, letter.recipient, letter.topic, letter.reply_to, now,
        expires_ms, books.meta.hlc, letter.tries_max, size, crc32(letter.body),
    )  # fmt: skip
    body = letter.body if inboxes else b""
    tx.run("add_message", (*sealed(stored), len(inboxes), "", body))
    known = {row[0] for row in lanes if opened(Lane._make, row, books.url)}
    for inbox in inboxes:
        books.add(
            Delivery(inbox, 0, letter.sender, no, letter.topic, size, books.meta.hlc, expires_ms,
                     0, 0, "")
        )  # fmt: skip
        if inbox not in known:
            books.save_lane(Lane(inbox, letter.sender, now))


def join(store: Store, swarm: str, agent: str, *, config: int | None = None) -> None:
    """From now on `agent` gets what is broadcast to `swarm`. Safe to repeat."""
    with writing(store, config=config) as (books, _):
        books.tx.run("save_member", sealed((swarm, agent, books.meta.hlc)))


def leave(store: Store, swarm: str, agent: str) -> None:
    """What was broadcast before stays in its inbox."""
    with writing(store) as (books, _):
        books.tx.run("drop_member", (swarm, agent))


def members(store: Store, swarm: str) -> list[str]:
    return [agent for (agent,) in store.engine.read("members", (swarm,))]
