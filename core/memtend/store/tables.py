"""The tables, declared once. Alembic makes the schema from them; `sql.py` speaks their names.

No hot call goes through these classes: a mapped object costs a hundred times a plain row
(docs/benchmarks.md). A test prepares every statement of `sql.py` against this schema, on both
engines, so the two cannot drift apart.

`crc` columns guard the small tables, whose rows have no hash of their own.
"""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import SQLModel

from memtend.store.columns import blob, integer, text

SQLModel.metadata.naming_convention = {"pk": "pk_%(table_name)s"}


class Meta(SQLModel, table=True):
    """One row: identity, clocks and totals. Every write transaction reads and updates it.

    `sum` adds the hashes of all sibling rows modulo 2^128: it notices a row that vanished.
    """

    id: int = integer(key=True)
    store_id: str = text()
    replica_no: int = integer()
    epoch: int = integer()
    lease_epoch: int = integer()
    hlc: int = integer()
    seq: int = integer()
    n: int = integer()
    rows: int = integer()
    size: int = integer()
    sum: bytes = blob()
    audit_n: int = integer()
    audit_head: bytes = blob()
    config: int = integer()
    created_ms: int = integer()
    file_id: str = text()
    crc: int = integer()


class Replica(SQLModel, table=True):
    """Every line of history known here: `seen` is the version vector, `floor` the log's floor."""

    no: int = integer(key=True)
    id: str = text()
    seen: int = integer()
    floor: int = integer()
    created_ms: int = integer()
    crc: int = integer()
    __table_args__ = (Index("ux_replica_id", "id", unique=True),)


class Namespace(SQLModel, table=True):
    """Namespace paths, interned. Never deleted, so that a cached id stays right.

    `contested` is 1 from the first time on that a write left another sibling standing. Ids begin at
    65,536: SQLite then stores them under a type that no single flipped bit turns into NULL, which
    is in no range and so could hide an index entry from the look at its neighbours.
    """

    id: int = integer(key=True)
    path: str = text()
    contested: int = integer()
    __table_args__ = (Index("ux_namespace_path", "path", unique=True),)


class Sibling(SQLModel, table=True):
    """One value of one key (CRDT_SPEC 4.1). A new version is a new row with a new `seq`.

    `body` and `value` are authoritative and hashed; kind, agent, writer, content, r, n and size
    are copies for indexes and filters, compared by `verify`.
    """

    seq: int = integer(key=True)
    ns: int = integer()
    key: str = text()
    field: str = text()
    r: int = integer()
    n: int = integer()
    exp: int | None = integer(null=True)
    flags: int = integer()
    kind: str = text()
    agent: str | None = text(null=True)
    writer: str | None = text(null=True)
    content: int = integer()
    size: int = integer()
    body: bytes = blob()
    value: bytes = blob()
    hash: bytes = blob()


_sibling = SQLModel.metadata.tables["sibling"]
Index(
    "ux_sibling_path", *(_sibling.c[name] for name in ("ns", "key", "field", "n", "r")), unique=True
)
Index(
    "ix_sibling_exp",
    _sibling.c.exp,
    sqlite_where=_sibling.c.exp.is_not(None),
    postgresql_where=_sibling.c.exp.is_not(None),
)
Index(  # what an agent has, in order of key; who names no agent pays nothing for it
    "ix_sibling_agent",
    *(_sibling.c[name] for name in ("agent", "ns", "key")),
    sqlite_where=_sibling.c.agent.is_not(None),
    postgresql_where=_sibling.c.agent.is_not(None),
)


class Tag(SQLModel, table=True):
    tag: str = text(key=True)
    seq: int = integer(key=True)
    __table_args__ = ({"sqlite_with_rowid": False},)


class Log(SQLModel, table=True):
    """Events whose sibling is gone, one row per replica (CRDT_SPEC 5.5, 5.6)."""

    ns: int = integer(key=True)
    key: str = text(key=True)
    field: str = text(key=True)
    r: int = integer(key=True)
    n: int = integer()
    seq: int = integer()
    at_ms: int = integer()
    why: str = text()
    crc: int = integer()
    __table_args__ = (Index("ix_log_seq", "seq"), {"sqlite_with_rowid": False})


class Tally(SQLModel, table=True):
    """Rows and bytes per namespace, agent, session and tier, kept in the same transaction.

    Of the tiers only those that cost an ordinary write nothing are kept: `warm` (compressed) and
    `cold` (archived), with what the cold ones took before and take in the archive.
    """

    scope: str = text(key=True)
    name: str = text(key=True)
    rows: int = integer()
    size: int = integer()
    __table_args__ = ({"sqlite_with_rowid": False},)


class Access(SQLModel, table=True):
    """Reads, written behind. Apart from the record, so that counting never rewrites a value."""

    ns: int = integer(key=True)
    key: str = text(key=True)
    count: int = integer()
    at_ms: int = integer()
    crc: int = integer()
    __table_args__ = ({"sqlite_with_rowid": False},)


class Audit(SQLModel, table=True):
    """Append-only; `seal` is a keyed hash over the entry and the seal before it."""

    n: int = integer(key=True)
    at_ms: int = integer()
    action: str = text()
    actor: str = text()
    detail: str = text()
    seal: bytes = blob()


class LeaseRow(SQLModel, table=True):
    """How far the tokens of a resource have come. It stays when nobody holds a lease any more.

    `n` is the last token granted, `guard` the last one granted to a mode that may write.
    """

    __tablename__ = "lease"
    resource: str = text(key=True)
    n: int = integer()
    guard: int = integer()
    crc: int = integer()


class Op(SQLModel, table=True):
    """Operation ids already applied, so that a repeated call changes nothing."""

    op_id: str = text(key=True)
    at_ms: int = integer()
    result: str = text()
    crc: int = integer()
    __table_args__ = (Index("ix_op_at", "at_ms"),)


class Setting(SQLModel, table=True):
    name: str = text(key=True)
    value: str = text()
    crc: int = integer()


class Grant(SQLModel, table=True):
    __tablename__ = "access_grant"
    agent: str = text(key=True)
    pattern: str = text(key=True)
    right: str = text(key=True)
    crc: int = integer()


class Catalog(SQLModel, table=True):
    """Backups taken: what the newest manifest must be, kept outside the repository."""

    manifest: str = text(key=True)
    url: str = text()
    at_ms: int = integer()
    seq: int = integer()
    rows: int = integer()
    size: int = integer()
    root: str = text()
    verified_ms: int | None = integer(null=True)
    crc: int = integer()


class Dictionary(SQLModel, table=True):
    """Trained zstd dictionaries, kept as long as any row uses them."""

    id: int = integer(key=True)
    kind: str = text()
    data: bytes = blob()
    made_ms: int = integer()
    crc: int = integer()


class Erasure(SQLModel, table=True):
    """What was erased, as keyed hashes: a restore or an import does not bring it back.

    `kind` says what was hashed (a record, a namespace, an agent …); whatever matches and was
    written up to `at_hlc` is gone for good. `seq` is where in the change sequence it happened.
    """

    kind: str = text(key=True)
    digest: bytes = blob(key=True)
    at_hlc: int = integer()
    seq: int = integer()
    crc: int = integer()


from memtend.store import (  # noqa: E402 — part of the schema
    tables_learning,  # noqa: F401
    tables_messages,  # noqa: F401
    tables_migration,  # noqa: F401
    tables_together,  # noqa: F401
    tables_upkeep,  # noqa: F401
)

metadata = SQLModel.metadata
