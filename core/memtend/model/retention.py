"""How long backups are kept, as data."""

from __future__ import annotations

from pydantic import BaseModel, Field

from memtend.limits import PERIODS_MAX, RETENTION_AGE_MS, RETENTION_WITHIN_MS, TTL_MS_MAX


class Gfs(BaseModel, frozen=True, extra="forbid"):
    """Of how many days, weeks, months and years the newest backup is kept."""

    daily: int = Field(default=0, ge=0, le=PERIODS_MAX)
    weekly: int = Field(default=0, ge=0, le=PERIODS_MAX)
    monthly: int = Field(default=0, ge=0, le=PERIODS_MAX)
    yearly: int = Field(default=0, ge=0, le=PERIODS_MAX)


class Retention(Gfs, frozen=True, extra="forbid"):
    """What `backup rotate` keeps. `max_age_ms` None means that age alone drops nothing.

    Everything younger than `within_ms` is kept, whatever the counts say; nothing older than
    `max_age_ms` is kept for a count, whatever the counts say.
    """

    within_ms: int = Field(default=RETENTION_WITHIN_MS, ge=0, le=TTL_MS_MAX)
    daily: int = Field(default=7, ge=0, le=PERIODS_MAX)
    weekly: int = Field(default=4, ge=0, le=PERIODS_MAX)
    monthly: int = Field(default=12, ge=0, le=PERIODS_MAX)
    yearly: int = Field(default=3, ge=0, le=PERIODS_MAX)
    max_age_ms: int | None = Field(default=RETENTION_AGE_MS, gt=0, le=TTL_MS_MAX)
