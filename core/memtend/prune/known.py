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
Measures = tuple[int | None, float | None, float | None, float | None]
"""`Tried`, then confidence and the time it saves."""
MEASURED: Final = "pattern"
"""The kind of which an item counts executions and states confidence and time saved. Items of other
kinds are not opened for it."""


def measures(candidate: Candidate) -> Measures:
    """All four at once: whoever asks for one of them goes on to the others."""
    good, bad, sure = candidate.success_count, candidate.failure_count, candidate.confidence
    count = None if good is None or bad is None else good + bad
    saved = stated = rate = None
    if candidate.kind == MEASURED and candidate.facts is not None:
        stated, rate, stated_sure, saved = candidate.facts.measured
        sure = stated_sure if sure is None else sure
    if stated is not None and (count is None or stated >= count):
        return stated, rate if stated else None, sure, saved
    if count is not None and good is not None:
        return count, good / count if count else None, sure, saved
    return None, rate, sure, saved


def tried(candidate: Candidate) -> Tried:
    return measures(candidate)[:2]


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
