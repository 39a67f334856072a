"""Which schema version one AML item has, and what it says under that version's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from memtend.model.unreadable import Unreadable
from memtend.upcast import aml_1_1, aml_1_2, aml_2_0
from memtend.upcast.aml_marks import is_own_metadata
from memtend.upcast.labelling import Counts, counts_of_rate, counts_of_verdict, part, share

STEPS: Final = (aml_1_1.STEP, aml_1_2.STEP, aml_2_0.STEP)
VERSIONS: Final = ("1.0.0", *(step.newer for step in STEPS))
_PARTS: Final = {
    "pattern": ("pattern", "metrics", "evolution", "performance", "lifecycle"),
    "solution": ("problem", "solution", "effectiveness"),
    "decision": ("decision",),
}
KINDS: Final = frozenset(_PARTS)


def version_of(kind: str, item: Mapping[str, Any], versions: tuple[str, ...]) -> str | None:
    """None for what is no AML item: one has an id, and one of the parts of its kind."""
    if not isinstance(item.get("id"), str):
        return None
    for name in _PARTS[kind]:
        if isinstance(item.get(name), dict):
            return item_version(kind, item, versions)
    return None


def item_version(kind: str, item: Mapping[str, Any], versions: tuple[str, ...] = VERSIONS) -> str:
    """By the item's own marks; `config/schema_version.json` is only a hint and never asked.

    `metadata` counts only in the form that the old migration wrote: a user's own says nothing.
    Solutions and decisions never had `active`, so `tags` alone marks their 1.1.0.
    """
    stated = item.get("version")
    if isinstance(stated, str):
        if stated not in versions:
            raise Unreadable(f"schema version {stated[:64]!r} is not known")
        return stated
    if kind == "pattern" and ("performance" in item or "lifecycle" in item):
        return "2.0.0"
    metadata = item.get("metadata")
    if isinstance(metadata, dict):
        if is_own_metadata(metadata):
            return str(metadata["version"])
        if "variations" in item:
            return "1.2.0"
    if "tags" in item and ("active" in item or kind != "pattern"):
        return "1.1.0"
    return "1.0.0"


def confidence(item: Mapping[str, Any]) -> float | None:
    stated = part(item, "evolution", "confidenceScore")
    return share(part(item, "lifecycle", "confidence") if stated is None else stated)


def counts(item: Mapping[str, Any]) -> Counts:
    """Successes and failures, in every dialect; absent stays absent."""
    new, old = item.get("performance"), item.get("metrics")
    if isinstance(new, dict):
        return counts_of_rate(new.get("success_rate"), new.get("execution_count"))
    if isinstance(old, dict):
        return counts_of_rate(old.get("successRate"), old.get("executionCount"))
    if "effectiveness" in item:
        return counts_of_verdict(part(item, "effectiveness", "worked"), item.get("verifiedCount"))
    outcome = item.get("outcome")
    again = part(outcome, "wouldRepeat")
    return counts_of_verdict(part(outcome, "would_repeat") if again is None else again)
