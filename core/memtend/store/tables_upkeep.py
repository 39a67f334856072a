"""The tables of upkeep: what was pruned and missed since, how the store has been doing, alerts."""

from __future__ import annotations

from sqlmodel import SQLModel

from memtend.store.columns import integer, real, text


class Ghost(SQLModel, table=True):
    """A pruned record: the hash of its key, by which rule, under which plan; no value.

    `reads` counts those who asked for it since, `read_ms` is when somebody last did.
    """

    namespace: str = text(key=True)
    digest: int = integer(key=True)
    rule: str = text()
    plan: str = text()
    at_ms: int = integer()
    reads: int = integer()
    read_ms: int | None = integer(null=True)
    crc: int = integer()
    __table_args__ = ({"sqlite_with_rowid": False},)


class Regret(SQLModel, table=True):
    """Of what a rule has pruned from a namespace: how many, how many of them were missed, and how
    often. Outlives the ghosts."""

    rule: str = text(key=True)
    namespace: str = text(key=True)
    pruned: int = integer()
    missed: int = integer()
    reads: int = integer()
    crc: int = integer()
    __table_args__ = ({"sqlite_with_rowid": False},)


class Pruning(SQLModel, table=True):
    """One prune, by the digest of its plan. `facts` is JSON and names no record."""

    plan: str = text(key=True)
    at_ms: int = integer()
    records: int = integer()
    size: int = integer()
    archive_run: int = integer()
    undone_ms: int | None = integer(null=True)
    facts: str = text()
    crc: int = integer()


class Metric(SQLModel, table=True):
    """One figure at one time. A series is a metric's name with its labels, as Prometheus writes
    them."""

    series: str = text(key=True)
    at_ms: int = integer(key=True)
    value: float = real()
    crc: int = integer()
    __table_args__ = ({"sqlite_with_rowid": False},)


class Latency(SQLModel, table=True):
    """How many operations of one sort, in one hour, took about how long: sums that many processes
    add to, and so without a checksum, as `tally`."""

    hour: int = integer(key=True)
    op: str = text(key=True)
    tier: str = text(key=True)
    bucket: int = integer(key=True)
    count: int = integer()
    __table_args__ = ({"sqlite_with_rowid": False},)


class AlertRow(SQLModel, table=True):
    """Something that somebody should know of, from its first time to its end. `facts` is JSON."""

    __tablename__ = "alert"
    id: str = text(key=True)
    rule: str = text()
    scope: str = text()
    level: str = text()
    state: str = text()
    facts: str = text()
    first_ms: int = integer()
    last_ms: int = integer()
    ended_ms: int | None = integer(null=True)
    crc: int = integer()


class SilenceRow(SQLModel, table=True):
    """Alerts of which nobody is to be told until a time. `facts` is JSON: by whom, and why."""

    __tablename__ = "silence"
    id: str = text(key=True)
    pattern: str = text()
    until_ms: int = integer()
    facts: str = text()
    crc: int = integer()
