"""What every flow has in common: a telling run name, and no credential in a stored parameter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import Flow, runtime

from memtend_flows.labels import labelled
from memtend_flows.parameters import ADDRESSES, PATHS
from memtend_tasks.address import check_path, check_plain
from memtend_tasks.decorator import explained
from memtend_tasks.opened import store_label

P = ParamSpec("P")
R = TypeVar("R")


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


def memory_flow(function: Callable[P, R]) -> Flow[P, R]:
    """A Prefect flow named like `function`, its runs named after operation and store."""
    return MemoryFlow(
        fn=labelled(explained(function)), name=function.__name__, flow_run_name=run_name
    )


def run_name() -> str:
    """Such as `sweep memory-1f2e3d (dry run)`."""
    parameters = runtime.flow_run.parameters
    dry = " (dry run)" if parameters.get("dry_run") else ""
    return f"{runtime.flow_run.flow_name} {store_label(parameters['store'])}{dry}"
