"""How tasks ended, from flows: a task that records, and helpers for flows of your own.

    with recorded_outcome(agent="builder", swarm="demo", task_type="build",
                          strategy=advice.strategy, propensity=advice.propensity) as outcome:
        outcome.score = build()

What is raised inside is raised on: a time-out is recorded as `timeout`, a lease that somebody else
has as `conflict`, anything else as `failure`. Recording is bookkeeping: where it fails, the run
says so in its log and goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal

from prefect import Flow, get_run_logger, runtime
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.exceptions import MissingContextError
from pydantic import BaseModel, Field

from memtend.agent.recording import record_outcomes
from memtend.clock import SystemClock
from memtend.errors import LeaseHeld, MemtendError
from memtend.limits import LABEL_CHARS_MAX
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened
from memtend_tasks.sentence import sentence

if TYPE_CHECKING:
    from prefect.flows import FlowStateHook

Result = Literal["success", "failure", "partial_success", "timeout", "conflict"]
OUTCOMES_AT_ONCE: Final = 1_000
_TIMED_OUT: Final = "TimedOut"
_NS: Final = 1_000_000_000


class TaskOutcome(BaseModel, extra="forbid"):
    """How one task ended. What is not known stays unknown; `outcome_id` makes repeating harmless.

    `strategy` is the one that was followed, `propensity` the probability with which it had been
    chosen: learning needs both.
    """

    task_type: str = Field(min_length=1, max_length=LABEL_CHARS_MAX)
    result: Result
    strategy: str | None = Field(default=None, min_length=1, max_length=LABEL_CHARS_MAX)
    propensity: float | None = Field(default=None, gt=0, le=1)
    score: float | None = Field(default=None, ge=0, le=1)
    duration_s: float | None = Field(default=None, ge=0)
    cost: float | None = Field(default=None, ge=0)
    context: dict[str, Any] = Field(default_factory=dict)
    resources: dict[str, float] = Field(default_factory=dict)
    task: str | None = None
    outcome_id: str | None = Field(default=None, min_length=1, max_length=LABEL_CHARS_MAX)


class OutcomesRecorded(BaseModel, frozen=True, extra="forbid"):
    operation: str = "record outcomes"
    recorded: int


@sentence.register
def _(report: OutcomesRecorded) -> str:
    return f"{report.recorded:,} outcomes recorded"


@memory_task
def record_outcome(store: str, agent: str, swarm: str, outcome: TaskOutcome) -> str:
    """Record how a task ended; the id of that. Give an `outcome_id` where this may be repeated."""
    [outcome_id] = _kept(store, agent, swarm, [outcome])
    return outcome_id


@memory_task
def record_outcomes_of(
    store: str, agent: str, swarm: str, outcomes: Sequence[TaskOutcome]
) -> OutcomesRecorded:
    """Record many at once: all are checked before any is kept."""
    return OutcomesRecorded(recorded=len(_kept(store, agent, swarm, outcomes)))


@contextmanager
def recorded_outcome(
    *,
    agent: str,
    swarm: str,
    task_type: str,
    store: str = "default",
    strategy: str | None = None,
    propensity: float | None = None,
    context: Mapping[str, Any] | None = None,
) -> Iterator[TaskOutcome]:
    """Time what happens inside, and record how it ended. The body may set what it knows better:
    `result`, `score`, `cost`, `context`."""
    clock = SystemClock()
    outcome = TaskOutcome(
        task_type=task_type, result="success", strategy=strategy, propensity=propensity,
        context=dict(context or {}), task=runtime.flow_run.name,
        outcome_id=clock.new_id(),
    )  # fmt: skip
    began_ns = clock.monotonic_ns()
    try:
        yield outcome
    except BaseException as error:
        # A run that is cancelled says nothing about the strategy that it followed.
        if isinstance(error, Exception):
            outcome.result = result_of(error)
            _record(store, agent, swarm, _timed(outcome, clock, began_ns))
        raise
    _record(store, agent, swarm, _timed(outcome, clock, began_ns))


def outcome_hook(
    *,
    agent: str,
    swarm: str,
    task_type: str,
    store: str = "default",
    strategy: str | None = None,
    propensity: float | None = None,
) -> FlowStateHook[..., Any]:
    """A hook for `on_completion`, `on_failure` and `on_crashed` of a flow of your own.

    A run that was cancelled is not recorded. Repeated attempts of one run are one outcome: the
    last.
    """

    def record(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
        result = result_of_state(state)
        if result is not None:
            outcome = TaskOutcome(
                task_type=task_type, result=result, strategy=strategy, propensity=propensity,
                duration_s=flow_run.estimated_run_time.total_seconds(),
                outcome_id=str(flow_run.id), context={"flow": flow.name}, task=flow_run.name,
            )  # fmt: skip
            _record(store, agent, swarm, outcome)

    return record


def result_of(error: Exception) -> Result:
    """What an exception says about how a task ended."""
    if isinstance(error, TimeoutError):
        return "timeout"
    return "conflict" if isinstance(error, LeaseHeld) else "failure"


def result_of_state(state: State[Any]) -> Result | None:
    """What Prefect's state says; None where it says nothing about the task."""
    if state.type is StateType.COMPLETED:
        return "success"
    if state.type in (StateType.FAILED, StateType.CRASHED):
        return "timeout" if state.name == _TIMED_OUT else "failure"
    return None


def _timed(outcome: TaskOutcome, clock: SystemClock, began_ns: int) -> TaskOutcome:
    if outcome.duration_s is None:
        outcome.duration_s = (clock.monotonic_ns() - began_ns) / _NS
    return outcome


def _record(store: str, agent: str, swarm: str, outcome: TaskOutcome) -> None:
    try:
        _kept(store, agent, swarm, [outcome])
    except MemtendError as error:
        _say(f"the outcome was not recorded: {error}")


def _say(text: str) -> None:
    try:
        get_run_logger().warning(text)
    except MissingContextError:  # no run: whoever calls this outside of Prefect has its own log
        from logging import getLogger  # noqa: PLC0415

        getLogger(__name__).warning(text)


def _kept(store: str, agent: str, swarm: str, outcomes: Sequence[TaskOutcome]) -> list[str]:
    with opened(store) as services:
        told = [one.model_dump() for one in outcomes]
        return record_outcomes(services.memory, told, agent, swarm)
