"""Runs of our deployments as the Prefect server knows them, and the limits that they share."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowFilter,
    FlowFilterId,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse, GlobalConcurrencyLimitResponse
from prefect.events.filters import (
    EventFilter,
    EventNameFilter,
    EventOccurredFilter,
    EventResourceFilter,
)
from prefect.exceptions import ObjectNotFound

from memtend.limits_flows import AGAIN_BACK_S, DEPLOYMENTS_PAGE, RUNS_READ_MAX
from memtend_tasks.lost import BEGUN, DIED, Seen

TAG = "memtend"
"""By which automations know our runs; the deployments have it."""
HEARTBEAT = "prefect.flow-run.heartbeat"
TURNS = ("memtend-", "-write")
"""How the names of limits begin and end at which runs wait to write to a store."""


def ours(client: SyncPrefectClient) -> list[DeploymentResponse]:
    tagged = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    found: list[DeploymentResponse] = []
    while page := client.read_deployments(
        deployment_filter=tagged, limit=DEPLOYMENTS_PAGE, offset=len(found)
    ):
        found += page
    return found


def active(client: SyncPrefectClient, deployments: Collection[DeploymentResponse]) -> list[Seen]:
    """What seems to be at work, runs within runs and those begun by hand among them."""
    states = [StateType(name) for name in ("PENDING", *sorted(BEGUN))]
    flows = FlowFilter(id=FlowFilterId(any_=list({one.flow_id for one in deployments})))
    return _read(client, FlowRunFilter(state=_in(states)), flows) if deployments else []


def crashed(
    client: SyncPrefectClient, deployments: Collection[DeploymentResponse], now: datetime
) -> list[Seen]:
    """Those that were due not too long ago."""
    if not deployments:
        return []
    since = now - timedelta(seconds=AGAIN_BACK_S)
    return _read(
        client,
        FlowRunFilter(
            state=_in([StateType(DIED)]),
            deployment_id=FlowRunFilterDeploymentId(any_=[one.id for one in deployments]),
            expected_start_time=FlowRunFilterExpectedStartTime(after_=since),
        ),
    )


def younger(client: SyncPrefectClient, runs: Collection[Seen], now: datetime) -> list[Seen]:
    """Whatever ran in the same deployments since the oldest of these was due."""
    return _read(
        client,
        FlowRunFilter(
            deployment_id=FlowRunFilterDeploymentId(
                any_=list({run.deployment for run in runs if run.deployment})
            ),
            expected_start_time=FlowRunFilterExpectedStartTime(
                after_=min(run.due for run in runs), before_=now
            ),
        ),
    )


def with_sign_of_life(client: SyncPrefectClient, run: Seen) -> Seen:
    """The run with the last heartbeat since its state changed: its own, or the outermost run's."""
    page = client.read_events(
        EventFilter(
            event=EventNameFilter(name=[HEARTBEAT]),
            resource=EventResourceFilter(
                id=[f"prefect.flow-run.{one}" for one in (run.id, _outermost(client, run))]
            ),
            occurred=EventOccurredFilter(since=run.since),
        ),
        limit=1,
    )
    heard = [event.occurred for event in page.events]
    return run._replace(heard=max(heard, default=None))


def _outermost(client: SyncPrefectClient, run: Seen) -> UUID:
    """The run at whose heart a run within it lives, as far as the server knows it."""
    found, within = run.id, run.within
    with suppress(ObjectNotFound):  # deleted since, or never written down
        while within is not None and (outer := client.read_task_run(within).flow_run_id):
            found, within = outer, client.read_flow_run(outer).parent_task_run_id
    return found


def limits(
    client: SyncPrefectClient, deployments: Collection[DeploymentResponse], *, turns: bool
) -> Iterator[GlobalConcurrencyLimitResponse]:
    """The limits of these deployments, and with `turns` those at which runs wait to write."""
    for deployment in deployments:
        if deployment.global_concurrency_limit:
            yield deployment.global_concurrency_limit
    begin, end = TURNS
    offset = 0
    while turns and (
        page := client.read_global_concurrency_limits(limit=DEPLOYMENTS_PAGE, offset=offset)
    ):
        yield from (one for one in page if one.name.startswith(begin) and one.name.endswith(end))
        offset += len(page)


def _in(states: list[StateType]) -> FlowRunFilterState:
    return FlowRunFilterState(type=FlowRunFilterStateType(any_=states))


def _read(
    client: SyncPrefectClient, which: FlowRunFilter, flows: FlowFilter | None = None
) -> list[Seen]:
    found: list[FlowRun] = []
    while len(found) < RUNS_READ_MAX and (
        page := client.read_flow_runs(
            flow_filter=flows, flow_run_filter=which, limit=DEPLOYMENTS_PAGE, offset=len(found)
        )
    ):
        found += page
    return [seen for run in found if (seen := seen_of(run))]


def seen_of(run: FlowRun) -> Seen | None:
    """None for a run that was never planned for a time."""
    if run.state is None or run.state_type is None or run.expected_start_time is None:
        return None
    return Seen(
        id=run.id,
        name=run.name,
        deployment=run.deployment_id,
        parameters=run.parameters,
        state=run.state_type.value,
        state_name=run.state.name or "",
        since=run.state.timestamp,
        due=run.expected_start_time,
        began=run.run_count,
        within=run.parent_task_run_id,
    )
