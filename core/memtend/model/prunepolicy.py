"""What pruning may take away: ages, thresholds, sizes, the weights of value, and what is shielded.

    >>> PrunePolicy().unused_patterns_ms == 90 * DAY_MS
    True
    >>> PrunePolicy().named("aggressive").unused_patterns_ms == 30 * DAY_MS
    True
    >>> PrunePolicy().named("off").strategies
    ()

A time or threshold of None switches its rule off. A deadline is inclusive: a pattern that was not
used for exactly 90 days goes. Thresholds are exclusive: a success of exactly 20 % stays.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from pydantic import BaseModel, Field

from memtend.errors import InvalidPolicy, ProfileUnknown
from memtend.limits import TIME_MS_MAX
from memtend.limits_upkeep import (
    AGENT_BYTES_ERROR,
    PRUNE_NAMESPACES_KEPT_MAX,
    PRUNE_PROFILES_MAX,
    STORE_BYTES_ERROR,
)
from memtend.model.archiverule import NAME_PATTERN
from memtend.model.pattern import compile_pattern

DAY_MS: Final = 24 * 3_600_000
STRATEGIES: Final = ("redundancy", "performance", "time", "value", "space")
"""In the order in which they decide: of several that would take a record the first one does."""


class Weights(NamedTuple):
    """How much each part counts; what is not known of a record leaves its share to the others."""

    success: float = 0.4
    confidence: float = 0.3
    use: float = 0.2
    saved: float = 0.1


class PrunePolicy(BaseModel, frozen=True, extra="forbid"):
    """The rules in use. `profile` says what they started from, `profiles` are the file's own.

    `unknown_before` places the records of which nothing is known when space is needed: behind
    those of a lower value, before those of at least this one. `preserve_above` is the value above
    which space takes nothing. `saved_full_ms` and `used_full` are what counts as 1.
    """

    profile: str = Field(default="default", pattern=NAME_PATTERN)
    strategies: tuple[str, ...] = STRATEGIES
    unused_patterns_ms: int | None = Field(default=90 * DAY_MS, gt=0, le=TIME_MS_MAX)
    old_decisions_ms: int | None = Field(default=180 * DAY_MS, gt=0, le=TIME_MS_MAX)
    failed_patterns_ms: int | None = Field(default=30 * DAY_MS, gt=0, le=TIME_MS_MAX)
    success_below: float | None = Field(default=0.2, gt=0, le=1)
    confidence_below: float | None = Field(default=0.15, gt=0, le=1)
    executions_min: int = Field(default=3, ge=1)
    obsolete_solutions: bool = True
    negative_decisions: bool = True
    agent_bytes: int | None = Field(default=AGENT_BYTES_ERROR, gt=0)
    store_bytes: int | None = Field(default=STORE_BYTES_ERROR, gt=0)
    low_water: float = Field(default=0.9, gt=0, le=1)
    preserve_above: float = Field(default=0.85, ge=0, le=1)
    unknown_before: float = Field(default=0.5, ge=0, le=1)
    exact_duplicates: bool = True
    near_duplicates_from: float | None = Field(default=None, gt=0, le=1)
    value_below: float | None = Field(default=None, gt=0, le=1)
    value_unused_ms: int = Field(default=90 * DAY_MS, gt=0, le=TIME_MS_MAX)
    weights: Weights = Weights()
    saved_full_ms: int = Field(default=600_000, gt=0, le=TIME_MS_MAX)
    used_full: int = Field(default=100, ge=1)
    importance_from: float = Field(default=0.8, ge=0, le=1)
    reinforced_reads: int = Field(default=5, ge=1)
    reinforced_ms: int = Field(default=30 * DAY_MS, gt=0, le=TIME_MS_MAX)
    settle_ms: int = Field(default=DAY_MS, ge=0, le=TIME_MS_MAX)
    namespaces_kept: tuple[str, ...] = Field(default=(), max_length=PRUNE_NAMESPACES_KEPT_MAX)
    profiles: tuple[PrunePolicy, ...] = Field(default=(), max_length=PRUNE_PROFILES_MAX)

    def model_post_init(self, _context: object, /) -> None:
        for pattern in self.namespaces_kept:
            compile_pattern(pattern)
        if unknown := [name for name in self.strategies if name not in STRATEGIES]:
            raise _refused("strategies", f"{unknown[0]!r} is not one of {', '.join(STRATEGIES)}")
        if min(self.weights) < 0 or not sum(self.weights) > 0:
            raise _refused("weights", "none may be below 0, and one must be above")
        names = [one.profile for one in self.profiles]
        for name in names:
            if names.count(name) > 1 or name in BUILT_IN:
                raise _refused(f"profile {name!r}", "the name occurs twice, or is a built-in one")

    def named(self, name: str | None) -> PrunePolicy:
        """The profile of that name, or the rules in use for None; raises `ProfileUnknown`.

        What these rules keep by name or as important stays under every profile.
        """
        if name is None or name == self.profile:
            return self
        own = {one.profile: one for one in self.profiles}
        if name not in own and name not in BUILT_IN:
            raise ProfileUnknown(name=name, known=", ".join((*BUILT_IN, *own)))
        found = own[name] if name in own else PrunePolicy(profile=name, **BUILT_IN[name])
        kept = dict.fromkeys((*self.namespaces_kept, *found.namespaces_kept))
        importance = min(self.importance_from, found.importance_from)
        return found.model_copy(
            update={"namespaces_kept": tuple(kept), "importance_from": importance}
        )


def _refused(where: str, why: str) -> InvalidPolicy:
    return InvalidPolicy(source="prune rules", where=where, why=why)


BUILT_IN: Final[dict[str, dict[str, Any]]] = {
    "default": {},
    "aggressive": {
        "unused_patterns_ms": 30 * DAY_MS,
        "old_decisions_ms": 90 * DAY_MS,
        "failed_patterns_ms": 7 * DAY_MS,
        "success_below": 0.4,
        "confidence_below": 0.3,
        "executions_min": 2,
        "low_water": 0.75,
        "preserve_above": 0.9,
        "near_duplicates_from": 0.98,
        "value_below": 0.1,
        "value_unused_ms": 60 * DAY_MS,
        "reinforced_ms": 14 * DAY_MS,
    },
    "off": {"strategies": ()},
}
"""What differs from the defaults. No profile loosens what is pinned or important."""
