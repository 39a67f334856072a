"""The health report: checks with a level, a fact and a next step."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, Field


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"


class Check(BaseModel, frozen=True, extra="forbid"):
    """`penalty` is what it takes off the score: nothing while it is ok."""

    name: str
    level: Level
    fact: str
    hint: str = ""
    penalty: int = Field(default=0, ge=0, le=100)


class Opportunity(BaseModel, frozen=True, extra="forbid"):
    """Something that would make the store smaller or faster. No fault, and no penalty.

    What is saved is an estimate from figures or a sample; `fact` says from what. None: this saves
    none of that sort, or nobody can tell.
    """

    name: str
    fact: str
    saves_bytes: int | None = None
    saves_ms: float | None = None
    command: str


class PeerFacts(BaseModel, frozen=True, extra="forbid"):
    """`silent_ms` since it was last met; None: never. `backlog` counts events it has not seen."""

    name: str
    silent_ms: int | None
    retired: bool
    backlog: int


class HealthFacts(BaseModel, frozen=True, extra="forbid"):
    """Everything the checks look at, read in one go. None means unknown, never zero."""

    at: AwareDatetime
    records: int
    bytes: int
    file_bytes: int
    backlog: int
    clock_alarm_ms: int | None
    pressure: tuple[str, ...]
    disk_free_bytes: int | None
    backup_asked: bool
    backup_age_ms: int | None
    backup_rows: int | None
    engine_notes: tuple[str, ...] = ()
    drill_age_ms: int | None = None
    """Since the last drill that passed."""
    drill_passed: bool | None = None
    """Whether the last one did."""
    backed_up_ms: int | None = None
    """Since the first backup."""
    conflicts: int = 0
    """Keys with several concurrent values; counting ends at `CONFLICTS_MAX`."""
    siblings_most: int = 0
    """The most that one of them has."""
    peers: tuple[PeerFacts, ...] = ()
    messages_waiting: int = 0
    messages_dead: int = 0
    messages_age_ms: int | None = None
    """Since the oldest of those that wait was sent."""
    inbox_fullest: float = 0.0
    """The share of its bound that the fullest inbox has used."""
    older_values: str | None = None
    """What waits to be migrated, in words."""


class HealthReport(BaseModel, frozen=True, extra="forbid"):
    """`healthy` is false from the first warning on; `score` is 100 less all penalties, never below
    0, and 100 only where nothing is wrong."""

    operation: str = "health"
    at: AwareDatetime
    level: Level
    healthy: bool
    score: int = Field(ge=0, le=100)
    records: int
    bytes: int
    file_bytes: int
    expired_waiting: int
    checks: tuple[Check, ...]
    opportunities: tuple[Opportunity, ...] = ()
