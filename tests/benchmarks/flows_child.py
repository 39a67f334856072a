"""One side of the benchmark of flows, in a process of its own: `noop`, `tend` or `work`.

The environment says which store; the last line of the output is what it found.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import nullcontext
from typing import Any


def noop() -> None:
    """The least that Prefect runs: a flow that does nothing, on the embedded server."""
    from prefect import flow  # noqa: PLC0415 — what is imported is part of what is measured

    @flow
    def nothing() -> None:
        pass

    nothing()


def tend() -> None:
    """The maintenance cycle as it is, on the embedded server."""
    from memtend_flows.tend import tend as cycle  # noqa: PLC0415

    cycle(dry_run=False, prune_dry_run=False)


def work() -> dict[str, Any]:
    """The operations of the same cycle without Prefect: how long all took, and each task.

    The same functions in the same order, called directly. Nothing is published, announced or
    waited for.
    """
    from prefect import Flow, Task  # noqa: PLC0415
    from prefect.states import Completed  # noqa: PLC0415

    from memtend_flows.tend import tend as cycle  # noqa: PLC0415
    from memtend_tasks import publish  # noqa: PLC0415

    took: dict[str, float] = {}

    def direct(self: Any, *given: Any, return_state: bool = False, **named: Any) -> Any:
        began = time.perf_counter()
        result = self.fn(*given, **named)
        if isinstance(self, Task):
            took[self.name] = took.get(self.name, 0.0) + time.perf_counter() - began
        return Completed(data=result) if return_state else result

    Flow.__call__ = Task.__call__ = direct  # type: ignore[method-assign, assignment]
    for name in vars(publish):
        if name.startswith(("create_", "update_", "emit_")):
            setattr(publish, name, lambda *_, **__: None)
    modules = [module for name, module in sys.modules.items() if name.startswith("memtend_flows.")]
    for module in modules:
        if "store_turn" in vars(module):
            vars(module)["store_turn"] = lambda _: nullcontext()
    began = time.perf_counter()
    cycle(dry_run=False, prune_dry_run=False)
    return {"seconds": time.perf_counter() - began, "tasks": took}


if __name__ == "__main__":
    sides = {"noop": noop, "tend": tend, "work": work}
    print(json.dumps(sides[sys.argv[1]]()))
