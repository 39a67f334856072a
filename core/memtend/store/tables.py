"""The tables, declared once. Alembic makes the schema from them; `sql.py` speaks their names.

No hot call goes through these classes: a mapped object costs a hundred times a plain row
(docs/benchmarks.md). A test prepares every statement of `sql.py` against this schema, on both
engines, so the two cannot drift apart.

`crc` columns guard the small tables, whose rows have no hash of their own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Text
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {"pk": "pk_%(table_name)s"}

# Byte order, not the locale's: a namespace prefix is then a key range.
_Text = Text().with_variant(Text(collation="C"), "postgresql")
# SQLite makes only a column of type INTEGER the rowid itself.
_Int = BigInteger().with_variant(Integer(), "sqlite")


def _text(*, key: bool = False, null: bool = False) -> Any:
    return Field(sa_column=Column(_Text, primary_key=key, nullable=null))


def _int(*, key: bool = False, null: bool = False) -> Any:
    return Field(sa_column=Column(_Int, primary_key=key, nullable=null, autoincrement=False))


def _blob(*, null: bool = False) -> Any:
    return Field(sa_column=Column(LargeBinary, nullable=null))


class Meta(SQLModel, table=True):
    """One row: identity, clocks and totals. Every write transaction reads and updates it.

    `sum` adds the hashes of all sibling rows modulo 2^128: it notices a row that vanished.
    """

    id: int = _int(key=True)
    store_id: str = _text()
    replica_no: int = _int()
    epoch: int = _int()
    lease_epoch: int = _int()
    hlc: int = _int()
    seq: int = _int()
    n: int = _int()
    rows: int = _int()
    size: int = _int()
    sum: bytes = _blob()
    audit_n: int = _int()
    audit_head: bytes = _blob()
    config: int = _int()
    created_ms: int = _int()
    file_id: str = _text()
    crc: int = _int()


class Replica(SQLModel, table=True):
    """Every line of history known here: `seen` is the version vector, `floor` the log's floor."""

    no: int = _int(key=True)
    id: str = _text()
    seen: int = _int()
    floor: int = _int()
    created_ms: int = _int()
    crc: int = _int()
    __table_args__ = (Index("ux_replica_id", "id", unique=True),)


class Namespace(SQLModel, table=True):
    """Namespace paths, interned. Never deleted, so that a cached id stays right.

    `contested` is 1 from the first time on that a write left another sibling standing. Ids begin at
    65,536: SQLite then stores them under a type that no single flipped bit turns into NULL, which
    is in no range and so could hide an index entry from the look at its neighbours.
    """

    id: int = _int(key=True)
    path: str = _text()
    contested: int = _int()
    __table_args__ = (Index("ux_namespace_path", "path", unique=True),)


class Sibling(SQLModel, table=True):
    """One value of one key (CRDT_SPEC 4.1). A new version is a new row with a new `seq`.

    `body` and `value` are authoritative and hashed; kind, agent, writer, content, r, n and size
    are copies for indexes and filters, compared by `verify`.
    """

    seq: int = _int(key=True)
    ns: int = _int()
    key: str = _text()
    field: str = _text()
    r: int = _int()
    n: int = _int()
    exp: int | None = _int(null=True)
    flags: int = _int()
    kind: str = _text()
    agent: str | None = _text(null=True)
    writer: str | None = _text(null=True)
    content: int = _int()
    size: int = _int()
    body: bytes = _blob()
    value: bytes = _blob()
    hash: bytes = _blob()


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


class Tag(SQLModel, table=True):
    tag: str = _text(key=True)
    seq: int = _int(key=True)
    __table_args__ = ({"sqlite_with_rowid": False},)


class Log(SQLModel, table=True):
    """Events whose sibling is gone, one row per replica (CRDT_SPEC 5.5, 5.6)."""

    ns: int = _int(key=True)
    key: str = _text(key=True)
    field: str = _text(key=True)
    r: int = _int(key=True)
    n: int = _int()
    seq: int = _int()
    at_ms: int = _int()
    why: str = _text()
    crc: int = _int()
    __table_args__ = (Index("ix_log_seq", "seq"), {"sqlite_with_rowid": False})


class Tally(SQLModel, table=True):
    """Rows and bytes per namespace, agent, session and tier, kept in the same transaction.

    Of the tiers only those that cost an ordinary write nothing are kept: `warm` (compressed) and
    `cold` (archived), with what the cold ones took before and take in the archive.
    """

    scope: str = _text(key=True)
    name: str = _text(key=True)
    rows: int = _int()
    size: int = _int()
    __table_args__ = ({"sqlite_with_rowid": False},)


class Access(SQLModel, table=True):
    """Reads, written behind. Apart from the record, so that counting never rewrites a value."""

    ns: int = _int(key=True)
    key: str = _text(key=True)
    count: int = _int()
    at_ms: int = _int()
    crc: int = _int()
    __table_args__ = ({"sqlite_with_rowid": False},)


class Audit(SQLModel, table=True):
    """Append-only; `seal` is a keyed hash over the entry and the seal before it."""

    n: int = _int(key=True)
    at_ms: int = _int()
    action: str = _text()
    actor: str = _text()
    detail: str = _text()
    seal: bytes = _blob()


class LeaseRow(SQLModel, table=True):
    __tablename__ = "lease"
    resource: str = _text(key=True)
    holder: str = _text()
    n: int = _int()
    epoch: int = _int()
    expires_ms: int = _int()
    crc: int = _int()


class Op(SQLModel, table=True):
    """Operation ids already applied, so that a repeated call changes nothing."""

    op_id: str = _text(key=True)
    at_ms: int = _int()
    result: str = _text()
    crc: int = _int()
    __table_args__ = (Index("ix_op_at", "at_ms"),)


class Setting(SQLModel, table=True):
    name: str = _text(key=True)
    value: str = _text()
    crc: int = _int()


class Grant(SQLModel, table=True):
    __tablename__ = "access_grant"
    agent: str = _text(key=True)
    pattern: str = _text(key=True)
    right: str = _text(key=True)
    crc: int = _int()


class Catalog(SQLModel, table=True):
    """Backups taken: what the newest manifest must be, kept outside the repository."""

    manifest: str = _text(key=True)
    url: str = _text()
    at_ms: int = _int()
    seq: int = _int()
    rows: int = _int()
    size: int = _int()
    root: str = _text()
    verified_ms: int | None = _int(null=True)
    crc: int = _int()


class Dictionary(SQLModel, table=True):
    """Trained zstd dictionaries, kept as long as any row uses them."""

    id: int = _int(key=True)
    kind: str = _text()
    data: bytes = _blob()
    made_ms: int = _int()
    crc: int = _int()


class Erasure(SQLModel, table=True):
    """What was erased, as keyed hashes: a restore or an import does not bring it back.

    `kind` says what was hashed (a record, a namespace, an agent …); whatever matches and was
    written up to `at_hlc` is gone for good. `seq` is where in the change sequence it happened.
    """

    kind: str = _text(key=True)
    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True, nullable=False))
    at_hlc: int = _int()
    seq: int = _int()
    crc: int = _int()


metadata = SQLModel.metadata
