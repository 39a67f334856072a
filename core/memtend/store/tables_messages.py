"""Tables of messages: what was sent, to whom it is still to be delivered, whose turn it is."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import SQLModel

from memtend.store.columns import blob, integer, text


class MessageRow(SQLModel, table=True):
    """A message, once, however many inboxes it goes to. Nothing of it changes but the end.

    `no` is the order of sending in this store. `hlc` is the store's clock as the sender found it:
    it tells what was sent before an erasure from what came after. `sum` is a checksum of `body`.

    When every delivery has ended (`pending` is 0) the body is emptied; the row stays until
    `expires_ms`, so that a repeated id is known. `receipt` is the one that ended the last delivery.
    Those three are not in `crc`: an acknowledgement would have to read the message to change them.
    """

    __tablename__ = "message"
    no: int = integer(key=True)
    id: str = text()
    sender: str = text()
    recipient: str = text()
    topic: str = text()
    reply_to: str = text()
    sent_ms: int = integer()
    expires_ms: int = integer()
    hlc: int = integer()
    tries_max: int = integer()
    size: int = integer()
    sum: int = integer()
    crc: int = integer()
    pending: int = integer()
    receipt: str = text()
    body: bytes = blob()
    __table_args__ = (
        Index("ux_message_id", "id", unique=True),
        Index("ix_message_expires", "expires_ms"),
    )


class DeliveryRow(SQLModel, table=True):
    """A message that waits in an inbox, is being worked on there, or has died there.

    The key is in the order in which a sender's messages are handed out; dead letters (`dead` 1)
    lie apart. `receipt` is of the last time it was handed out, which holds until `visible_ms`.
    """

    __tablename__ = "delivery"
    inbox: str = text(key=True)
    dead: int = integer(key=True)
    sender: str = text(key=True)
    no: int = integer(key=True)
    topic: str = text()
    size: int = integer()
    hlc: int = integer()
    expires_ms: int = integer()
    visible_ms: int = integer()
    tries: int = integer()
    receipt: str = text()
    crc: int = integer()
    __table_args__ = (Index("ix_delivery_no", "no"), {"sqlite_with_rowid": False})


_delivery = SQLModel.metadata.tables["delivery"]
Index(
    "ix_delivery_topic",
    *(_delivery.c[name] for name in ("inbox", "topic", "sender", "no")),
    sqlite_where=_delivery.c.topic != "",
    postgresql_where=_delivery.c.topic != "",
)


class LaneRow(SQLModel, table=True):
    """One sender's queue in one inbox: a row for each that has anything alive in it.

    At `due_ms` the next message may be handed out. `no` is the one that holds the rest back, being
    worked on or delayed; 0 where none does.
    """

    __tablename__ = "lane"
    inbox: str = text(key=True)
    sender: str = text(key=True)
    due_ms: int = integer()
    no: int = integer()
    crc: int = integer()
    __table_args__ = (Index("ix_lane_due", "inbox", "due_ms"), {"sqlite_with_rowid": False})


class InboxRow(SQLModel, table=True):
    """How much an inbox holds: its bound is checked without counting. None is empty."""

    __tablename__ = "inbox"
    name: str = text(key=True)
    waiting: int = integer()
    size: int = integer()
    dead: int = integer()
    crc: int = integer()


class Member(SQLModel, table=True):
    """Who hears what is said to a swarm."""

    swarm: str = text(key=True)
    agent: str = text(key=True)
    hlc: int = integer()
    crc: int = integer()
    __table_args__ = ({"sqlite_with_rowid": False},)
