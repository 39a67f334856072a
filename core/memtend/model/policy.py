"""Retention policies: how long a path lives, how it is cleaned, merged, compressed and read."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from pydantic import BaseModel, Field
from xxhash import xxh3_64_intdigest

from memtend.limits import COMPRESS_THRESHOLD_BYTES, ZSTD_LEVEL
from memtend.limits_learning import WHY_CHARS_MAX

FUNCTION: Final = "function:"
RESOLVER_NAME: Final = r"^[A-Za-z][A-Za-z0-9._-]{0,63}$"
TRIAL_ID: Final = "^[0-9a-f]{32}$"
_SILENT: Final = {"why", "canary"}


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


class Canary(BaseModel, frozen=True, extra="forbid"):
    """Another time to live, tried on a share of the keys that a rule governs.

    Which keys these are depends on nothing but their paths and `trial`, the id of the trial: every
    process, now and later, says the same of a key, and two trials try different keys.
    """

    trial: str = Field(pattern=TRIAL_ID)
    ttl_ms: int = Field(gt=0)
    share: float = Field(gt=0, lt=1)

    def takes(self, digest: int) -> bool:
        """Whether the key with this hash of its path is one of them."""
        mixed = xxh3_64_intdigest(digest.to_bytes(8, "big", signed=True), self._seed)
        return mixed < self.share * 2**64

    @cached_property
    def _seed(self) -> int:
        return int(self.trial[:16], 16)


def path_hash(namespace: str, key: str) -> int:
    """64 bits that stand for a path where no name may be kept, as in the sample of accesses."""
    return xxh3_64_intdigest(f"{namespace}\0{key}".encode())


def path_digest(namespace: str, key: str) -> int:
    """The same as a signed integer, in the same order, as databases keep it."""
    return path_hash(namespace, key) - 2**63


class Policy(BaseModel, frozen=True, extra="forbid"):
    """What holds for every path that `pattern` governs. `ttl_ms` None means permanent.

    `resolver` names a user's function that decides what is shown of several concurrent values.
    `canary` is what the keys it takes live by instead; `why` is what a tuned rule rests on.
    """

    pattern: str
    ttl_ms: int | None = Field(default=None, gt=0)
    cleanup: Cleanup = Cleanup.SCHEDULED
    reading: Reading = Reading.LWW
    compression: Compression = Compression()
    refresh_on_read: bool = False
    resolver: str | None = Field(default=None, pattern=RESOLVER_NAME)
    canary: Canary | None = None
    why: str = Field(default="", max_length=WHY_CHARS_MAX)

    def model_post_init(self, _context: object, /) -> None:
        if self.resolver is not None and self.reading is not Reading.LWW:
            raise ValueError(f"a function decides instead of {self.reading.value}, not beside it")

    def said(self) -> dict[str, Any]:
        """As JSON, without what decides nothing."""
        silent = _SILENT if self.canary is None else {"why"}
        return self.model_dump(mode="json", exclude=silent)

    def at(self, namespace: str, key: str) -> Policy:
        """What holds for this key: the rule itself, or what its canary says."""
        if self.canary is None or not self.canary.takes(path_digest(namespace, key)):
            return self
        return self._tried

    @cached_property
    def _tried(self) -> Policy:
        assert self.canary is not None
        return self.model_copy(update={"ttl_ms": self.canary.ttl_ms})

    @property
    def strategy(self) -> str:
        """`conflict_strategy` as it is written in a file."""
        return self.reading.value if self.resolver is None else f"{FUNCTION}{self.resolver}"


DEFAULT_POLICY = Policy(pattern="**")
