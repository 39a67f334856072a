"""Retention policies: how long a path lives, how it is cleaned, merged, compressed and read."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, Field

from memtend.limits import COMPRESS_THRESHOLD_BYTES, ZSTD_LEVEL

FUNCTION: Final = "function:"
RESOLVER_NAME: Final = r"^[A-Za-z][A-Za-z0-9._-]{0,63}$"


class Cleanup(StrEnum):
    """When expired records leave the disk. What a reader sees never depends on it."""

    LAZY = "lazy"
    SCHEDULED = "scheduled"
    MANUAL = "manual"


class Reading(StrEnum):
    """How siblings are shown. Always decided at read time; the state is the same."""

    LWW = "lww"
    MV = "mv"
    COUNTER = "counter"
    SET = "set"
    MAP = "map"


class Compression(BaseModel, frozen=True, extra="forbid"):
    """Values of `threshold_bytes` or more are compressed when that saves space."""

    enabled: bool = True
    threshold_bytes: int = Field(default=COMPRESS_THRESHOLD_BYTES, ge=0)
    level: int = Field(default=ZSTD_LEVEL, ge=1, le=19)


class Policy(BaseModel, frozen=True, extra="forbid"):
    """What holds for every path that `pattern` governs. `ttl_ms` None means permanent.

    `resolver` names a user's function that decides what is shown of several concurrent values.
    """

    pattern: str
    ttl_ms: int | None = Field(default=None, gt=0)
    cleanup: Cleanup = Cleanup.SCHEDULED
    reading: Reading = Reading.LWW
    compression: Compression = Compression()
    refresh_on_read: bool = False
    resolver: str | None = Field(default=None, pattern=RESOLVER_NAME)

    def model_post_init(self, _context: object, /) -> None:
        if self.resolver is not None and self.reading is not Reading.LWW:
            raise ValueError(f"a function decides instead of {self.reading.value}, not beside it")

    @property
    def strategy(self) -> str:
        """`conflict_strategy` as it is written in a file."""
        return self.reading.value if self.resolver is None else f"{FUNCTION}{self.resolver}"


DEFAULT_POLICY = Policy(pattern="**")
