"""What a migration of values found, rehearsed and did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from pydantic import AwareDatetime, BaseModel, Field

from memtend.clock import to_datetime
from memtend.migrate.parts import Refusal
from memtend.model.plan import Report

if TYPE_CHECKING:
    from memtend.store.migrations import Migration


class Pending(BaseModel, frozen=True, extra="forbid"):
    """Values that are older than this program's newest version.

    `counts` are rows by kind and version, as `pattern 1.0.0`. Rows may have been replaced or
    dropped since they were counted: then `exact` is false and the counts are upper bounds.
    `archived` values are left where they are. These and `unreadable` ones are upper bounds until
    everything is looked at again. `seq` is how far the store was looked at.
    """

    family: str
    wanted: str
    counts: dict[str, int] = Field(default_factory=dict)
    archived: int = 0
    unreadable: int = 0
    seq: int = 0
    exact: bool = True

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def __bool__(self) -> bool:
        return self.total > 0

    def sentence(self) -> str:
        """For people."""
        if not self:
            return f"every value is of the newest version, {self.family} {self.wanted}"
        named = ", ".join(f"{count:,} of {name}" for name, count in self.counts.items())
        most = "" if self.exact else "at most "
        are = "value is" if self.total == 1 else "values are"
        return f"{most}{self.total:,} {are} older than {self.family} {self.wanted}: {named}"


class RehearsalCheck(BaseModel, frozen=True, extra="forbid"):
    name: str
    ok: bool
    fact: str


class Rehearsal(BaseModel, frozen=True, extra="forbid"):
    """A plan carried out on a restored copy. `run` is the id that the deed will have.

    `values` is a digest over everything that was made of the values.
    """

    run: str
    plan: str
    family: str
    wanted: str
    manifest: str
    url: str
    checks: tuple[RehearsalCheck, ...]
    rows: int
    refused: int
    values: str
    seconds: float

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


class MigrationReport(Report, frozen=True, extra="forbid"):
    """`manifest` is the backup taken before, `values` the digest over what was written.

    `kept` names rows that stay as they are for a reason: refused, edited since, or `moved_on` by a
    later run, which must be taken back first.
    """

    run: str
    family: str
    wanted: str
    plan: str = ""
    manifest: str = ""
    url: str = ""
    values: str = ""
    rehearsed: bool = False
    grown_bytes: int = 0
    archived: int = 0
    edited: int = 0
    moved_on: int = 0
    kept: tuple[Refusal, ...] = ()
    losses: dict[str, int] = Field(default_factory=dict)


class MigrationRun(BaseModel, frozen=True, extra="forbid"):
    """One line of the history."""

    run: str
    what: str
    family: str
    found: str
    wanted: str
    state: str
    manifest: str
    began_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    written: int = 0
    facts: dict[str, Any] = Field(default_factory=dict)


def run_of(row: Migration) -> MigrationRun:
    """A row of the history as people read it; sums are left out."""
    facts = {name: fact for name, fact in orjson.loads(row.facts).items() if name != "sums"}
    rehearsal = facts.get("rehearsal")
    if isinstance(rehearsal, dict):
        facts["rehearsal"] = {name: one for name, one in rehearsal.items() if name != "sums"}
    return MigrationRun(
        run=row.run,
        what=row.what,
        family=row.family,
        found=row.found,
        wanted=row.wanted,
        state=row.state,
        manifest=row.manifest,
        began_at=to_datetime(row.began_ms),
        ended_at=None if row.ended_ms is None else to_datetime(row.ended_ms),
        written=int(facts.get("written", 0)),
        facts=facts,
    )
