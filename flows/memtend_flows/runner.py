"""The process that runs what is due or was asked for: every deployment of `schedules`.

`memtend serve` starts it beside a server; alone it needs PREFECT_API_URL.
"""

from prefect import serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.types.entrypoint import EntrypointType

from memtend.limits import SERVED_RUNS_MAX
from memtend_flows.schedules import SERVED, TAGS, Served


def deployment(served: Served) -> RunnerDeployment:
    """One run at a time; a second one waits for the first."""
    return RunnerDeployment.from_flow(
        served.flow,
        name=served.flow.name,
        schedule=served.schedule,
        tags=[*TAGS, served.tag],
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE
        ),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def main() -> None:
    serve(
        *map(deployment, SERVED),
        limit=SERVED_RUNS_MAX,
        pause_on_shutdown=False,
        print_starting_message=False,
    )


if __name__ == "__main__":
    main()
