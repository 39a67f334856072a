"""Moving a store from one schema to another: how it stands, what would be done, what was done."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from pydantic import AwareDatetime, BaseModel, Field

from memtend.model.revision import Revision


class Loss(NamedTuple):
    """Rows of a table, or of one `column` of it, that the wanted schema has no place for."""

    table: str
    column: str
    rows: int


class SchemaState(BaseModel, frozen=True, extra="forbid"):
    """`found` is the store's revision, `known` this program's newest.

    `pending` are the steps from one to the other. With `newer` the store is not ours to touch.
    """

    url: str
    found: str | None
    known: str
    pending: tuple[Revision, ...] = ()
    newer: bool = False


class SchemaPlan(BaseModel, frozen=True, extra="forbid"):
    """What a migration of the schema would do. `seq`, `rows` and `state_sum` are those of now.

    `snapshot` is how the copy of the store as it is will be called, up to the time. `needs_bytes`
    must be free beside the store, as far as `free_bytes` is known.
    """

    operation: str = "migrate schema"
    url: str
    engine: str
    store_id: str
    made_at: AwareDatetime
    found: str
    wanted: str
    revisions: tuple[Revision, ...]
    rows: int
    size_bytes: int
    state_sum: str
    seq: int
    snapshot: str
    needs_bytes: int
    free_bytes: int | None = None
    losses: tuple[Loss, ...] = ()

    @property
    def digest(self) -> str:
        """Of all that the plan says, but not of when it was made and how full the disk was."""
        text = self.model_dump_json(exclude={"made_at", "free_bytes"})
        return sha256(text.encode()).hexdigest()

    @property
    def is_downgrade(self) -> bool:
        return self.wanted < self.found


class SchemaReport(BaseModel, frozen=True, extra="forbid"):
    """What was done. `applied` False: the store was there already, and nothing was touched.

    `rows_digest` covers every row's path, event and hash, and was the same before and after.
    `snapshot` is the store as it was, kept until `snapshot_until`. `verified`: every byte of the
    result was checked.
    """

    operation: str = "migrate schema"
    url: str
    run: str = ""
    found: str
    wanted: str
    applied: bool = True
    revisions: tuple[Revision, ...] = ()
    rows: int = 0
    state_sum: str = ""
    rows_digest: str = ""
    rehearsed: bool = False
    verified: bool = False
    snapshot: str | None = None
    snapshot_until: AwareDatetime | None = None
    losses: tuple[Loss, ...] = ()
    seconds: float = Field(default=0.0, ge=0)
