"""What `AgentMemory` gives back: frozen values. Each reads what the older program wrote, too.

A value that somebody put there by hand in another form is shown as it is, never hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from memtend.agent.reading import time_ms
from memtend.clock import to_datetime, to_ms


class Said(BaseModel, frozen=True, extra="forbid"):
    """Something an agent said at some time."""

    agent: str | None
    session: str | None = None
    at: AwareDatetime

    def fits(self, since_ms: int, words: list[str]) -> bool:
        """Whether it was said since then, and all these words occur in its values."""
        if to_ms(self.at) < since_ms:
            return False
        if not words:
            return True
        text = " ".join(_texts(self.model_dump(exclude=_NOT_SAID))).casefold()
        return all(word in text for word in words)

    @classmethod
    def _read(cls, named: dict[str, Any], value: dict[str, Any], raw: str) -> Self:
        """From a stored value; `raw` is the field that holds what cannot be read otherwise."""
        given = {
            name: value[name]
            for name in cls.model_fields
            if name not in named and value.get(name) is not None
        }
        try:
            return cls.model_validate({**named, **given})
        except ValidationError:
            return cls.model_validate({**named, raw: {"value": value}})


class DecisionOutcome(Said):
    """How a decision turned out, in the word of `agent`."""

    decision_id: str
    result: str | None = None
    score: float | None = None
    lessons: tuple[str, ...] = ()
    would_repeat: bool | None = None
    data: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, value: dict[str, Any], names: tuple[str, ...]) -> DecisionOutcome:
        """`names` are the agent that decided, the id of the decision, and who says it."""
        return cls._read({**_who(value, names[2]), "decision_id": names[1]}, value, "data")


class Decision(Said):
    """`outcomes` are what was said of it later, latest last."""

    decision_id: str
    decision_type: str
    decision: Any = None
    rationale: str = ""
    alternatives: tuple[Any, ...] = ()
    context: dict[str, Any] = Field(default_factory=dict)
    confidence: float | None = None
    task: str | None = None
    outcomes: tuple[DecisionOutcome, ...] = ()

    @classmethod
    def of(cls, value: dict[str, Any], names: tuple[str, ...]) -> Decision:
        """`names` are those of its path: the agent, the type, and its id where it has one."""
        number = names[2] if len(names) > 2 else names[1]
        named = {**_who(value, names[0]), "decision_id": number, "decision_type": names[1]}
        said = {"decision": value.get("decision_data"), **value, "outcomes": None}
        return cls._read(named, said, "decision")


class Progress(Said):
    """How far a task is; `done` from 0 to 1, None where nobody said."""

    task: str
    done: float | None = None
    status: str = "in_progress"
    note: str = ""
    data: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, value: dict[str, Any], names: tuple[str, ...]) -> Progress:
        named = {**_who(value, names[0]), "task": names[1]}
        return cls._read(named, {"data": value.get("progress_data"), **value}, "data")


class Knowledge(Said):
    """What `agent` shared; `evidence` names what it rests on."""

    knowledge_type: str
    topic: str | None = None
    knowledge: Any = None
    confidence: float | None = None
    evidence: tuple[str, ...] = ()

    @classmethod
    def of(cls, value: dict[str, Any], names: tuple[str, ...]) -> Knowledge:
        """`names` are the type, then who said it and the topic, where the path has them."""
        named = {
            **_who(value, names[1] if len(names) > 1 else None),
            "knowledge_type": names[0],
            "topic": names[2] if len(names) > 2 else None,
        }
        said = {"knowledge": value.get("knowledge_data"), **value}
        return cls._read(named, said, "knowledge")


class LearnedPattern(Said):
    """When `conditions` hold, `actions` worked; `learned_from` are ids of outcomes."""

    pattern_id: str
    pattern_type: str = ""
    description: str = ""
    conditions: dict[str, Any] = Field(default_factory=dict)
    actions: tuple[Any, ...] = ()
    success_rate: float | None = None
    confidence: float | None = None
    learned_from: tuple[str, ...] = ()

    @classmethod
    def of(cls, value: dict[str, Any], number: str) -> LearnedPattern:
        older = {
            "description": value.get("pattern_description"),
            "confidence": value.get("confidence_score"),
        }
        named = {**_who(value, None), "pattern_id": number}
        return cls._read(named, {**older, **value}, "conditions")


class Coordination(Said):
    """What `agent` said of the moment."""

    coordination_type: str
    data: Any = None

    @classmethod
    def of(cls, value: dict[str, Any], names: tuple[str, ...]) -> Coordination:
        who = _who(value, names[1] if len(names) > 1 else None)
        return cls._read({**who, "coordination_type": names[0]}, value, "data")


class AgentSeen(BaseModel, frozen=True, extra="forbid"):
    """One agent of a swarm: alive by its writes, silent for too long, or offline: by its word, or
    when nothing is left to tell when it was last there.

    `decisions` counts stored rows: expired ones until they are swept.
    """

    agent: str
    status: str
    seen_at: AwareDatetime | None
    session: str | None = None
    state: dict[str, Any]
    progress: tuple[Progress, ...] = ()
    decisions: int = 0


class SwarmState(BaseModel, frozen=True, extra="forbid"):
    """A swarm just now. `shared` is what the older program kept as the state of coordination."""

    swarm: str
    at: AwareDatetime
    agents: tuple[AgentSeen, ...]
    alive: int
    silent: int
    offline: int
    decisions: int
    knowledge: int
    coordination: tuple[Coordination, ...] = ()
    shared: dict[str, Any] = Field(default_factory=dict)


_NOT_SAID = {"at", "agent", "session", "decision_id", "pattern_id"}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        yield str(value)
        return
    for one in value:
        yield from _texts(one)


def _who(value: dict[str, Any], agent: str | None) -> dict[str, Any]:
    at_ms = time_ms(value, "timestamp", "updated_at", "shared_at", "last_used")
    who = agent or value.get("agent") or value.get("agent_name") or value.get("shared_by")
    session = value.get("session")
    return {
        "agent": who if isinstance(who, str) else None,
        "session": session if isinstance(session, str) else None,
        "at": to_datetime(at_ms),
    }
