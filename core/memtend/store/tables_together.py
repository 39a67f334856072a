"""Tables of what agents and replicas do together: peers, leases. Part of the schema."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import SQLModel

from memtend.store.columns import blob, integer, text


class PeerRow(SQLModel, table=True):
    """A replica that this one syncs with, or a place through which it does (CRDT_SPEC 5).

    `seen` is the last vector that it acknowledged. `at_seq` and `at_vv` are our change sequence and
    our vector when it was last sent a delta: the next one need not look further back. Vectors are
    msgpack maps. `heard_ms` is its own time when it last sent to us, `met_ms` ours when it last
    answered. `accept` holds the namespace patterns, as JSON, that it may send.
    """

    __tablename__ = "peer"
    id: str = text(key=True)
    name: str = text()
    url: str = text()
    seen: bytes = blob()
    at_seq: int = integer()
    at_vv: bytes = blob()
    heard_ms: int = integer()
    met_ms: int = integer()
    retired_ms: int | None = integer(null=True)
    accept: str = text()
    crc: int = integer()


class LeaseGrant(SQLModel, table=True):
    """A lease that somebody has, or had and let run out: the next grant clears those away.

    `request` names the call that it answered, for a caller that did not hear the answer.
    """

    __tablename__ = "lease_grant"
    resource: str = text(key=True)
    n: int = integer(key=True)
    epoch: int = integer()
    holder: str = text()
    mode: str = text()
    expires_ms: int = integer()
    request: str = text()
    crc: int = integer()


class LeaseTicket(SQLModel, table=True):
    """A place in the queue for a resource, in the order of `number`; skipped after `until_ms`."""

    __tablename__ = "lease_ticket"
    id: str = text(key=True)
    number: int = integer()
    resource: str = text()
    mode: str = text()
    holder: str = text()
    until_ms: int = integer()
    crc: int = integer()
    __table_args__ = (Index("ix_lease_ticket_resource", "resource"),)


class LeaseAccepted(SQLModel, table=True):
    """The greatest token under which something outside of the store was changed."""

    __tablename__ = "lease_accepted"
    resource: str = text(key=True)
    epoch: int = integer()
    n: int = integer()
    crc: int = integer()
