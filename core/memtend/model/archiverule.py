"""Which records are cold: rules by time, importance, access and size, the first of which decides.

A rule holds where all of its conditions hold. Of the rules that hold the one with the highest
`priority` decides, and with it how hard is compressed; among equals the one that comes first.
"""

from __future__ import annotations

from functools import cached_property

from pydantic import BaseModel, Field

from memtend.errors import InvalidPolicy
from memtend.limits import (
    ARCHIVE_KEEP_MS,
    ARCHIVE_KEEP_MS_MIN,
    ARCHIVE_RULES_MAX,
    TIME_MS_MAX,
    VALUE_BYTES_MAX,
)
from memtend.model.pattern import compile_pattern

_DAY_MS = 24 * 3_600_000
NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,31}$"
CONDITIONS = (
    "older_than_ms",
    "unread_for_ms",
    "importance_below",
    "accesses_below",
    "accesses_a_day_below",
    "larger_than_bytes",
)


class ArchiveRule(BaseModel, frozen=True, extra="forbid"):
    """At least one condition is given; the others are None and hold always.

    `older_than_ms` counts from the last write, `unread_for_ms` from the last read or write. A rate
    of accesses can only be known of a record that is old enough to show it: `accesses_a_day_below`
    0.1 concerns records that are at least ten days old.
    """

    name: str = Field(pattern=NAME_PATTERN)
    namespace: str = "**"
    older_than_ms: int | None = Field(default=None, gt=0, le=TIME_MS_MAX)
    unread_for_ms: int | None = Field(default=None, gt=0, le=TIME_MS_MAX)
    importance_below: float | None = Field(default=None, gt=0, le=1)
    accesses_below: int | None = Field(default=None, gt=0)
    accesses_a_day_below: float | None = Field(default=None, gt=0)
    larger_than_bytes: int | None = Field(default=None, ge=0, le=VALUE_BYTES_MAX)
    priority: int = Field(default=0, ge=-1_000, le=1_000)
    level: int = Field(default=12, ge=1, le=19)

    def model_post_init(self, _context: object, /) -> None:
        compile_pattern(self.namespace)
        if all(getattr(self, name) is None for name in CONDITIONS):
            why = "it has no condition, so it would archive everything"
            raise InvalidPolicy(source="archive rules", where=self.name, why=why)


DEFAULT_RULES = (
    ArchiveRule(
        name="old", older_than_ms=90 * _DAY_MS, importance_below=0.3, priority=30, level=19
    ),
    ArchiveRule(name="unread", unread_for_ms=30 * _DAY_MS, accesses_below=2, priority=20, level=15),
    ArchiveRule(
        name="large", larger_than_bytes=10_000, accesses_a_day_below=0.1, priority=10, level=12
    ),
)


class ArchivePolicy(BaseModel, frozen=True, extra="forbid"):
    """`keep_ms` is how long an object stays in the archive after the last record has left it.

    Longer than the oldest backup is kept, so that what a backup brings back is still readable.
    """

    rules: tuple[ArchiveRule, ...] = Field(default=DEFAULT_RULES, max_length=ARCHIVE_RULES_MAX)
    keep_ms: int = Field(default=ARCHIVE_KEEP_MS, ge=ARCHIVE_KEEP_MS_MIN)

    def model_post_init(self, _context: object, /) -> None:
        names = [rule.name for rule in self.rules]
        for name in names:
            if names.count(name) > 1:
                why = "the name occurs twice"
                raise InvalidPolicy(source="archive rules", where=name, why=why)

    @cached_property
    def ordered(self) -> tuple[ArchiveRule, ...]:
        """The rule that decides first."""
        return tuple(sorted(self.rules, key=lambda rule: -rule.priority))
