"""The table of migrations: what was moved forward, from what to what. Part of the schema."""

from __future__ import annotations

from sqlmodel import SQLModel

from memtend.store.columns import integer, text


class MigrationRow(SQLModel, table=True):
    """One run of a migration, of `values` or of the `schema`.

    `found` and `wanted` are versions, `plan` is the digest of the plan, `manifest` the backup taken
    before, or the name of the snapshot. `facts` is JSON and names nobody: an erasure leaves it be.
    """

    __tablename__ = "migration"
    run: str = text(key=True)
    what: str = text()
    family: str = text()
    found: str = text()
    wanted: str = text()
    plan: str = text()
    manifest: str = text()
    state: str = text()
    facts: str = text()
    began_ms: int = integer()
    ended_ms: int | None = integer(null=True)
    crc: int = integer()
