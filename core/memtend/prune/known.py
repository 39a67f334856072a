"""What is known of a record from its labels and from what its value says of itself.

An item's own words and the labels beside it may both count how often it worked. The one that has
seen more executions is the later one, and counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from memtend.model.candidate import Candidate


Tried = tuple[int | None, float | None]
"""How often it was executed, and which share of that succeeded. Of no executions no share is."""
MEASURED: Final = "pattern"
"""The kind of which an item counts executions and states confidence and time saved. Items of other
kinds are not opened for it."""


def tried(candidate: Candidate) -> Tried:
    good, bad = candidate.success_count, candidate.failure_count
    count = None if good is None or bad is None else good + bad
    facts = candidate.facts if candidate.kind == MEASURED else None
    stated = None if facts is None else facts.executions
    if facts is not None and stated is not None and (count is None or stated >= count):
        return stated, facts.success_rate if stated else None
    if count is not None and good is not None:
        return count, good / count if count else None
    return None, None if facts is None else facts.success_rate


def confidence(candidate: Candidate) -> float | None:
    if candidate.confidence is not None or candidate.kind != MEASURED or candidate.facts is None:
        return candidate.confidence
    return candidate.facts.confidence


def saved_ms(candidate: Candidate) -> float | None:
    if candidate.kind != MEASURED or candidate.facts is None:
        return None
    return candidate.facts.saved_ms


def used_ms(candidate: Candidate) -> int:
    """When it was last used: read here, or used as it says itself.

    The last write stands in only where the item names no time: migrating an item to a newer schema
    writes it, and uses nothing.
    """
    facts = candidate.facts
    stated = None if facts is None else facts.last_used_ms or facts.created_ms
    return max(candidate.written_ms if stated is None else stated, candidate.read_ms or 0)


def made_ms(candidate: Candidate) -> int:
    facts = candidate.facts
    stated = None if facts is None else facts.created_ms
    return candidate.created_ms if stated is None else stated
