"""The rows of messages as tuples, each with its checksum."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar
from zlib import crc32

from memtend.clock import to_datetime
from memtend.codec import canonical
from memtend.errors import StoreDamaged
from memtend.model.message import Message
from memtend.store.engine import Row
from memtend.store.meta import crc_of

T = TypeVar("T")
ANSWERS = "?"
"""Between the name of an agent and the id of its message: the inbox of the answers to it."""


def answers_to(agent: str, id_: str) -> str:
    return f"{agent}{ANSWERS}{id_}"


def owner_of(inbox: str) -> str:
    """Whose inbox it is."""
    return inbox.partition(ANSWERS)[0]


class Stored(NamedTuple):
    """A message without its body, in the order of its columns."""

    no: int
    id: str
    sender: str
    recipient: str
    topic: str
    reply_to: str
    sent_ms: int
    expires_ms: int
    hlc: int
    tries_max: int
    size: int
    sum: int


class Delivery(NamedTuple):
    inbox: str
    dead: int
    sender: str
    no: int
    topic: str
    size: int
    hlc: int
    expires_ms: int
    visible_ms: int
    tries: int
    receipt: str

    @property
    def key(self) -> tuple[str, int, str, int]:
        return self[:4]


class Lane(NamedTuple):
    inbox: str
    sender: str
    due_ms: int
    no: int = 0


class Inbox(NamedTuple):
    name: str
    waiting: int = 0
    size: int = 0
    dead: int = 0


class Held(NamedTuple):
    """A delivery with its message; None where that is damaged or missing."""

    delivery: Delivery
    message: Stored | None
    body: bytes

    def shown(self, receipt: str = "") -> Message:
        delivery, message = self.delivery, self.message
        at = to_datetime(message.sent_ms if message else 0)
        return Message(
            id=message.id if message else "",
            inbox=delivery.inbox,
            sender=delivery.sender,
            to=message.recipient if message else "",
            topic=delivery.topic,
            body=canonical.decode(self.body) if message else None,
            number=delivery.no,
            sent_at=at,
            expires_at=to_datetime(delivery.expires_ms),
            visible_until=to_datetime(delivery.visible_ms),
            reply_to=message.reply_to if message else "",
            tries=delivery.tries,
            tries_max=message.tries_max if message else 0,
            receipt=receipt,
            damaged=message is None,
        )


def sealed(row: tuple[Any, ...]) -> Row:
    """As it is stored: its columns and their checksum."""
    return (*row, crc_of(row))


def opened(make: Callable[[Iterable[Any]], T], row: Row, url: str) -> T:
    """From columns with the checksum last; raises `StoreDamaged`."""
    if crc_of(tuple(row[:-1])) != row[-1]:
        raise StoreDamaged(url=url, why="a row of its messages' books was changed")
    return make(row[:-1])


_DELIVERY = len(Delivery._fields) + 1
_MESSAGE = _DELIVERY + len(Stored._fields)


def held(row: Row, url: str) -> Held:
    """From what statements `head`, `held` and `letters` return."""
    delivery = opened(Delivery._make, row[:_DELIVERY], url)
    found, crc, body = row[_DELIVERY:_MESSAGE], row[_MESSAGE], bytes(row[_MESSAGE + 1] or b"")
    if found[0] is None or crc_of(tuple(found)) != crc or crc32(body) != found[-1]:
        return Held(delivery, None, b"")
    return Held(delivery, Stored._make(found), body)
