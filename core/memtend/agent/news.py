"""What is new, sorted by what it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from memtend.agent.models import (
    Coordination,
    Decision,
    DecisionOutcome,
    Knowledge,
    LearnedPattern,
    Progress,
)
from memtend.model.layout import Kind, locate

if TYPE_CHECKING:
    from memtend.memory import Memory


class News(BaseModel, frozen=True, extra="forbid"):
    """What others wrote, each kind in the order of time. `more`: call again for the rest."""

    states: dict[str, dict[str, Any]] = Field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    decision_outcomes: tuple[DecisionOutcome, ...] = ()
    progress: tuple[Progress, ...] = ()
    knowledge: tuple[Knowledge, ...] = ()
    patterns: tuple[LearnedPattern, ...] = ()
    coordination: tuple[Coordination, ...] = ()
    messages_waiting: int = 0
    more: bool = False

    def __bool__(self) -> bool:
        """Whether others wrote anything; messages wait until they are received."""
        return any(value for name, value in self if name != "messages_waiting")


def sorted_out(
    memory: Memory, places: Mapping[str, Iterable[str]], *, more: bool, waiting: int
) -> News:
    """Read what is at these places now; what is gone again is no news."""
    states: dict[str, dict[str, Any]] = {}
    said: dict[Kind, list[Any]] = {}
    for namespace, keys in places.items():
        values = memory.get_many(namespace, list(keys))
        for key in keys:  # in the order of writing, which tells apart what has the same time
            place, value = locate(namespace, key), values.get(key)
            if place is None or not isinstance(value, dict):
                continue
            if place.kind is Kind.STATE:
                states[place.names[0]] = value
            elif place.kind in _READERS:
                said.setdefault(place.kind, []).append(_READERS[place.kind](value, place.names))
    found = {
        name: tuple(sorted(said.get(kind, ()), key=lambda one: one.at))
        for kind, name in _FIELDS.items()
    }
    return News(states=states, more=more, messages_waiting=waiting, **found)


_READERS: Any = {
    Kind.DECISION: Decision.of,
    Kind.DECISION_OUTCOME: DecisionOutcome.of,
    Kind.PROGRESS: Progress.of,
    Kind.KNOWLEDGE: Knowledge.of,
    Kind.COORDINATION: Coordination.of,
    Kind.PATTERN: lambda value, names: LearnedPattern.of(value, names[0]),
}
_FIELDS = {
    Kind.DECISION: "decisions",
    Kind.DECISION_OUTCOME: "decision_outcomes",
    Kind.PROGRESS: "progress",
    Kind.KNOWLEDGE: "knowledge",
    Kind.PATTERN: "patterns",
    Kind.COORDINATION: "coordination",
}
