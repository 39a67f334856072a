"""The outcome of a task, as it is stored under `neural/outcomes/{id}` and read for learning.

One model reads both dialects: ours, and that of the older swarm program (`execution_time` in
seconds, `timestamp` as ISO text, `metadata: null`). What was not said is None: a default would be
learned from as if somebody had measured it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from memtend.agent.reading import pages, time_ms
from memtend.clock import to_datetime, to_ms
from memtend.errors import InvalidValue
from memtend.model.layout import OUTCOMES

if TYPE_CHECKING:
    from memtend.memory import Memory


class Result(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    PARTIAL_SUCCESS = "partial_success"
    TIMEOUT = "timeout"
    CONFLICT = "conflict"


class Outcome(BaseModel, frozen=True, extra="forbid"):
    """How one task ended. `propensity` is the probability with which `strategy` was chosen."""

    outcome_id: str = Field(min_length=1)
    swarm_id: str | None = None
    task_type: str = Field(min_length=1)
    agents_involved: tuple[str, ...] = ()
    outcome_type: Result
    success_score: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    duration_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    cost: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    resource_usage: dict[str, float] = Field(default_factory=dict)
    context: dict[str, Any] = Field(default_factory=dict)
    strategy: str | None = Field(default=None, min_length=1)
    propensity: float | None = Field(default=None, gt=0, le=1, allow_inf_nan=False)
    task: str | None = None
    recorded_by: str | None = None
    session: str | None = None
    timestamp: AwareDatetime
    metadata: dict[str, Any] = Field(default_factory=dict)

    @property
    def at_ms(self) -> int:
        return to_ms(self.timestamp)

    def stored(self) -> dict[str, Any]:
        """The value of the record; what is unknown is left out."""
        value = self.model_dump(mode="json", exclude_none=True, exclude={"timestamp"})
        return {**value, "at_ms": self.at_ms}

    @classmethod
    def of(cls, value: dict[str, Any]) -> Outcome:
        """From a stored value of either dialect; raises `InvalidValue`."""
        given = {name: value[name] for name in cls.model_fields if value.get(name) is not None}
        if "duration_s" not in given and value.get("execution_time") is not None:
            given["duration_s"] = value["execution_time"]
        given["timestamp"] = to_datetime(time_ms(value, "timestamp"))
        return _checked(given)


def make_outcome(*, timestamp_ms: int, **fields: Any) -> Outcome:
    """Raises `InvalidValue` with the first field that cannot be right."""
    return _checked({**fields, "timestamp": to_datetime(timestamp_ms)})


def read_outcomes(memory: Memory) -> Iterator[Outcome]:
    """All there are. What is no outcome, though somebody wrote it there, is left out."""
    for _, value in pages(memory, OUTCOMES):
        if isinstance(value, dict):
            try:
                yield Outcome.of(value)
            except InvalidValue:
                continue


def _checked(given: dict[str, Any | datetime]) -> Outcome:
    try:
        return Outcome.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidValue(name=f"outcome {where}", why=first["msg"]) from None
