"""What archiving, recalling, rebuilding, compacting and verifying did or found."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel

from memtend.model.findings import StoreFinding
from memtend.model.plan import Report


class ArchiveReport(Report, frozen=True, extra="forbid"):
    """`run` is the number by which this run is undone; 0 where nothing was written.

    `before_bytes` is what the archived rows took in the store, `stub_bytes` what is left of them,
    `archive_bytes` what they take in the archive.
    """

    run: int = 0
    url: str = ""
    objects: int = 0
    before_bytes: int = 0
    stub_bytes: int = 0
    archive_bytes: int = 0
    unreadable: tuple[str, ...] = ()


class ArchiveRun(BaseModel, frozen=True, extra="forbid"):
    """One run as the archive knows it. `records` counts those that are still packed under it."""

    run: int
    at: AwareDatetime
    records: int
    objects: int
    rules: dict[str, int]


class CompactReport(Report, frozen=True, extra="forbid"):
    """`waiting` objects hold nothing that the store names; they go when their time is over."""

    rewritten: int = 0
    moved: int = 0
    removed: int = 0
    waiting: int = 0


class ArchiveVerifyReport(BaseModel, frozen=True, extra="forbid"):
    """`unnamed` counts objects that no manifest names: leftovers, no damage."""

    url: str
    objects: int
    records: int
    stubs: int
    read_bytes: int
    damage_count: int
    unnamed: int
    findings: tuple[StoreFinding, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        return self.damage_count == 0
