"""Program: serve the flows of one lane, as `memtend serve` serves all of them.

usage: host LANE            under PREFECT_API_URL and the MEMTEND_… of the lane

Prefect's runner starts each run in a new Python, which costs seconds of importing. Here it is
forked from a process that has imported everything: to a kill that makes no difference.
"""

from __future__ import annotations

import multiprocessing
import sys
from typing import Any

from prefect import Flow, serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.types.entrypoint import EntrypointType

from memtend_flows.archive import archive
from memtend_flows.backup import backup
from memtend_flows.prune import prune
from memtend_flows.schedules import TAGS
from memtend_flows.sweep import sweep

FLOWS: dict[str, Flow[..., Any]] = {
    "sweep": sweep,
    "backup": backup,
    "archive": archive,
    "prune": prune,
}

PRELOADED = ("tests.crash.flows.host", "memtend.prune.apply", "memtend.backup.take")


def deployments(lane: str, pool: str | None = None) -> list[RunnerDeployment]:
    """One run at a time of each; a second one waits for the first."""
    return [
        RunnerDeployment.from_flow(
            flow,
            name=lane,
            tags=list(TAGS),
            work_pool_name=pool,
            concurrency_limit=ConcurrencyLimitConfig(
                limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE
            ),
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        for flow in FLOWS.values()
    ]


def fork_runs() -> None:
    real = multiprocessing.get_context

    def context(method: str | None = None) -> Any:
        return real("forkserver" if method == "spawn" else method)

    multiprocessing.get_context = context
    multiprocessing.set_forkserver_preload(["prefect.flow_engine", *PRELOADED])


if __name__ == "__main__":
    fork_runs()
    serve(*deployments(sys.argv[1]), pause_on_shutdown=False, print_starting_message=False)
