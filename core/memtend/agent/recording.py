"""Outcomes told by others, as JSON: all are checked before any is kept.

Each is an object with what `AgentMemory.record_task_outcome` takes, `at` as ISO text with a zone.
`agent` and `swarm` say who tells it and whose task it was; only the store's owner may speak for
several agents. The older program's names are understood too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from memtend.agent.memory import AgentMemory
from memtend.codec.canonical import encode
from memtend.errors import InvalidName, InvalidValue, LimitExceeded, MemtendError
from memtend.limits_learning import OUTCOMES_WRITTEN

if TYPE_CHECKING:
    from memtend.agent.outcome import Outcome
    from memtend.memory import Memory

_OLDER: Final = {
    "outcome_type": "result", "success_score": "score", "execution_time": "duration_s",
    "resource_usage": "resources", "agents_involved": "agents",
}  # fmt: skip
_TEXTS: Final = ("task_type", "result", "strategy", "task", "outcome_id", "agent", "swarm")
_OBJECTS: Final = ("context", "metadata", "resources")
_FIELDS: Final = frozenset(
    (*_TEXTS, *_OBJECTS, "score", "duration_s", "cost", "propensity", "agents", "at")
)


def record_outcomes(
    memory: Memory,
    told: Iterable[Mapping[str, Any]],
    agent: str,
    swarm: str,
    *,
    where: str = "outcome",
) -> list[str]:
    """The ids. Raises `InvalidValue` that says which one cannot be right, by its number."""
    members: dict[tuple[str, str], AgentMemory] = {}
    kept: dict[tuple[str, str], list[Outcome]] = {}
    ids = []
    for number, one in enumerate(told, 1):
        try:
            fields = _fields(one)
            who = (fields.pop("agent", agent), fields.pop("swarm", swarm))
            if who not in members:
                members[who] = AgentMemory(memory, *who)
            outcome = members[who].task_outcome(**fields)
            encode(outcome.stored(), "it")
        except (InvalidName, InvalidValue, LimitExceeded) as error:
            raise InvalidValue(name=f"{where} {number}", why=_said(error)) from error
        kept.setdefault(who, []).append(outcome)
        ids.append(outcome.outcome_id)
    for who, outcomes in kept.items():
        for start in range(0, len(outcomes), OUTCOMES_WRITTEN):
            members[who].keep_outcomes(outcomes[start : start + OUTCOMES_WRITTEN])
    return ids


def _fields(one: Mapping[str, Any]) -> dict[str, Any]:
    """As keyword arguments; null is left out, as unknown."""
    if not isinstance(one, Mapping):
        raise InvalidValue(name="it", why="it is no JSON object")
    found = {_OLDER.get(name, name): value for name, value in one.items() if value is not None}
    unknown = sorted(found.keys() - _FIELDS)
    if unknown:
        raise InvalidValue(name=unknown[0], why="an outcome has no such field")
    for name in ("task_type", "result"):
        if name not in found:
            raise InvalidValue(name=name, why="it is missing")
    for name in _TEXTS:
        if not isinstance(found.get(name, ""), str):
            raise InvalidValue(name=name, why="it is no text")
    for name in _OBJECTS:
        if not isinstance(found.get(name, {}), Mapping):
            raise InvalidValue(name=name, why="it is no JSON object")
    agents = found.get("agents", ())
    is_list = isinstance(agents, Sequence) and not isinstance(agents, str)
    if not is_list or not all(isinstance(name, str) for name in agents):
        raise InvalidValue(name="agents", why="it is no list of names")
    if "at" in found:
        found["at"] = _moment(found["at"])
    return found


def _moment(text: object) -> datetime:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        raise InvalidValue(name="at", why=f"{str(text)[:64]!r} is no time in ISO form") from None


def _said(error: MemtendError) -> str:
    """Its facts without the sentence around them."""
    if isinstance(error, InvalidValue):
        return f"{error.facts['name']}: {error.facts['why']}"
    return str(error)
