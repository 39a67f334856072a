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

    What is saved is an estimate from figures or a sample; `fact` says from what. `saves_ms` is a
    day's. None: this saves none of that sort, or nobody can tell.
    """

    name: str
    fact: str
    saves_bytes: int | None = None
    saves_ms: float | None = None
    command: str


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
