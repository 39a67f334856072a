"""Tables of what agents and replicas do together: peers. `tables` joins them to the schema."""

from __future__ import annotations

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
