"""The tables of learning: a sample of accesses, models, trials of times to live."""

from __future__ import annotations

from sqlmodel import SQLModel

from memtend.store.columns import integer, text


class AccessLogRow(SQLModel, table=True):
    """One access of a sampled key: the hash of its path, no name, no value.

    All accesses of a key are here, or none (`accesslog`). `halvings` says how often the sample had
    been halved when the row was written: it then held one key in two to that power.
    """

    __tablename__ = "access_log"
    digest: int = integer(key=True)
    ns: int = integer(key=True)
    at_ms: int = integer(key=True)
    what: int = integer(key=True)
    size: int = integer()
    halvings: int = integer()
    crc: int = integer()
    __table_args__ = ({"sqlite_with_rowid": False},)


class ModelRow(SQLModel, table=True):
    """One fitted model: on what, how good, whether it is in use. Its files lie elsewhere.

    `files` and `facts` are JSON.
    """

    __tablename__ = "model"
    id: str = text(key=True)
    scenario: str = text()
    kind: str = text()
    status: str = text()
    made_ms: int = integer()
    promoted_ms: int | None = integer(null=True)
    parent: str | None = text(null=True)
    program: str = text()
    seed: int = integer()
    rows: int = integer()
    first_ms: int | None = integer(null=True)
    last_ms: int | None = integer(null=True)
    files: str = text()
    why: str = text()
    facts: str = text()
    crc: int = integer()


class TrialRow(SQLModel, table=True):
    """A time to live that is tried on a part of a namespace. `facts` is JSON."""

    __tablename__ = "trial"
    id: str = text(key=True)
    namespace: str = text()
    state: str = text()
    facts: str = text()
    began_ms: int = integer()
    ended_ms: int | None = integer(null=True)
    crc: int = integer()
