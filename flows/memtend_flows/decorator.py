"""What every flow has in common: a telling run name, no credential in a stored parameter, a state
and an event of its own when it was refused, and that runs within a run are known as ours, too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar, cast

from prefect import Flow, runtime, tags
from prefect.context import FlowRunContext, TagsContext
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.states import Failed

from memtend.errors import (
    ClockAlarmed,
    DeletesTooMuch,
    PlanAltered,
    PlanForeign,
    PlanStale,
    PruneUnapproved,
    RestoreRefused,
    RotationRefused,
    TtlPlanStale,
)
from memtend.limits_flows import HEARTBEAT_S
from memtend_flows.labels import labelled
from memtend_flows.parameters import ADDRESSES, PATHS
from memtend_tasks.address import check_path, check_plain
from memtend_tasks.decorator import explained, with_hint
from memtend_tasks.embedded import embedded
from memtend_tasks.errors import NotApproved
from memtend_tasks.opened import store_address, store_label
from memtend_tasks.publish import RUN_REFUSED, announce
from memtend_tasks.runs import TAG

P = ParamSpec("P")
R = TypeVar("R")

REFUSED: Final = (
    ClockAlarmed, DeletesTooMuch, NotApproved, PlanAltered, PlanForeign, PlanStale,
    PruneUnapproved, RestoreRefused, RotationRefused, TtlPlanStale,
)  # fmt: skip
"""Nothing is broken and nothing was changed: somebody has to look, and say yes or no."""
REFUSED_STATE: Final = "Refused"
"""The name of such a run's state, which is one of Prefect's failed ones."""


class MemoryFlow(Flow[P, R]):
    """A flow that checks its addresses at the one place where parameters leave for Prefect."""

    def serialize_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        for name in ADDRESSES:
            if name in parameters:
                check_plain(str(parameters[name]), name)
        for name in PATHS:
            if name in parameters:
                check_path(str(parameters[name]), name)
        return super().serialize_parameters(parameters)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """A run within one of ours is one of ours: both die with their process.

        So it needs no heartbeat of its own, at whose end Prefect waits for a second. What somebody
        begins in a process of theirs gives one, for `reclaim` expects it.
        """
        within = [TAG] if TAG in (runtime.flow_run.tags or ()) else []
        outer = FlowRunContext.get()
        inside = outer is not None and isinstance(outer.flow, MemoryFlow)
        beat = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None if inside or embedded() else HEARTBEAT_S}
        with tags(*within), temporary_settings(beat):
            return super().__call__(*args, **kwargs)


def memory_flow(function: Callable[P, R]) -> Flow[P, R]:
    """A Prefect flow named like `function`, its runs named after operation and store."""
    return MemoryFlow(
        fn=labelled(explained(refusals_told(untagged(function)))),
        name=function.__name__,
        flow_run_name=run_name,
    )


def untagged(function: Callable[P, R]) -> Callable[P, R]:
    """The same function; its tasks do without the tag, for which each would ask the server."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with TagsContext(current_tags=TagsContext.get().current_tags - {TAG}):
            return function(*args, **kwargs)

    return wrapper


def refusals_told(function: Callable[P, R]) -> Callable[P, R]:
    """The same function; a refusal is a state of the run, out of which the error comes again for
    whoever called it, and goes out as an event: which error, and no word of it.
    """

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except REFUSED as error:
            address = store_address(runtime.flow_run.parameters["store"])
            told = {"flow": runtime.flow_run.flow_name, "error": type(error).__name__}
            announce(RUN_REFUSED, address, told | {"code": error.code})
            message = f"{told['error']}: {with_hint(error)}"
            return cast("R", Failed(name=REFUSED_STATE, message=message, data=error))

    return wrapper


def run_name() -> str:
    """Such as `sweep memory-1f2e3d (dry run)`."""
    parameters = runtime.flow_run.parameters
    dry = " (dry run)" if parameters.get("dry_run") else ""
    return f"{runtime.flow_run.flow_name} {store_label(parameters['store'])}{dry}"
