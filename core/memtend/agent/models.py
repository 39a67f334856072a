"""What `AgentMemory` gives back: frozen values. Each reads what the older program wrote, too."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from memtend.agent.reading import time_ms
from memtend.clock import to_datetime


class _Said(BaseModel, frozen=True, extra="forbid"):
    """Something an agent said at some time."""

    agent: str | None
    session: str | None = None
    at: AwareDatetime


class DecisionOutcome(_Said):
    """How a decision turned out, in the word of `agent`."""

    result: str
    score: float | None = None
    lessons: tuple[str, ...] = ()
    would_repeat: bool | None = None
    data: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, value: dict[str, Any]) -> DecisionOutcome:
        names = ("result", "score", "lessons", "would_repeat", "data")
        return cls.model_validate({**_who(value), **_given(value, names)})


class Decision(_Said):
    """`outcomes` are what was said of it later, latest last."""

    decision_id: str
    decision_type: str
    decision: Any
    rationale: str = ""
    alternatives: tuple[Any, ...] = ()
    context: dict[str, Any] = Field(default_factory=dict)
    confidence: float | None = None
    task: str | None = None
    outcomes: tuple[DecisionOutcome, ...] = ()

    @classmethod
    def of(cls, value: dict[str, Any], names: tuple[str, ...]) -> Decision:
        """`names` are those of its path: the agent, the type, and its id where it has one."""
        said = ("decision", "rationale", "alternatives", "context", "confidence", "task")
        given = _given(value, said)
        given.setdefault("decision", value.get("decision_data", value))
        named = {
            **_who(value, names[0]),
            "decision_id": names[2] if len(names) > 2 else names[1],
            "decision_type": names[1],
        }
        try:
            return cls.model_validate({**named, **given})
        except ValidationError:  # put there by hand in another form: shown as it is
            return cls.model_validate({**named, "decision": value})


class Progress(_Said):
    """How far a task is; `done` from 0 to 1, None where nobody said."""

    task: str
    done: float | None = None
    status: str = "in_progress"
    note: str = ""
    data: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, value: dict[str, Any], *, agent: str) -> Progress:
        given = _given(value, ("task", "done", "status", "note", "data"))
        given.setdefault("task", value.get("task_id", ""))
        given.setdefault("data", value.get("progress_data", {}))
        return cls.model_validate({**_who(value, agent), **given})


def _who(value: dict[str, Any], agent: str | None = None) -> dict[str, Any]:
    at_ms = time_ms(value, "timestamp", "updated_at", "shared_at")
    who = value.get("agent") or value.get("agent_name") or value.get("shared_by") or agent
    return {"agent": who, "session": value.get("session"), "at": to_datetime(at_ms)}


def _given(value: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value[name] for name in names if value.get(name) is not None}
