"""Deployments of one store beside those that the server has.

Ours are those with our mark, of this store. What a person has paused stays paused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.objects import ConcurrencyOptions, DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound

from memtend.errors import InvalidSettings
from memtend.limits_flows import DEPLOYMENTS_PAGE
from memtend_flows.automations import MARK
from memtend_flows.changes import Change, State, compared
from memtend_flows.deployment import HERE, STORE_TAG, Place, deployment
from memtend_flows.home import HEARTBEAT
from memtend_flows.schedules import SERVED, TAGS, Served

KIND = "deployment"
ENVIRONMENT = {"env": HEARTBEAT}
"""Of every run on a worker: who is silent for two of our heartbeats counts as dead."""


class Work(NamedTuple):
    """Who executes the runs: the workers of a pool, in a folder on their machines."""

    pool: str
    folder: str

    @property
    def pull(self) -> list[dict[str, Any]]:
        """Relative addresses begin in that folder, and not in one that is deleted after the run."""
        step = "prefect.deployments.steps.set_working_directory"
        return [{step: {"directory": self.folder}}]


def registrations(client: SyncPrefectClient, place: Place, work: Work) -> list[Change]:
    """What the deployments of a store need, and which of ours it needs no longer."""
    found = {one.name: one for one in of_store(client, place)}
    shared = found if place == HERE else {one.name: one for one in of_store(client, HERE)}
    changes = []
    for served in SERVED:
        ours = deployment(served, place)
        ours.tags = [*ours.tags, MARK]
        theirs = (shared if served.once else found).get(ours.name) or _by_name(client, ours)
        if served.once and place != HERE and theirs and MARK not in theirs.tags:
            # `memtend serve` runs it on this server, for the stores of both.
            changes.append(Change(KIND, ours.name, State.UNCHANGED))
            continue
        keep_paused(served, ours, theirs)
        changes.append(
            compared(
                KIND,
                ours.name,
                _as_wanted(ours, work),
                _as_found(theirs) if theirs else None,
                partial(_register, client, ours, work, theirs),
            )
        )
    wanted = {change.name for change in changes}
    for name, one in found.items():
        if MARK in one.tags and name not in wanted:
            changes.append(
                Change(KIND, name, State.OBSOLETE, (), partial(client.delete_deployment, one.id))
            )
    return changes


def of_store(client: SyncPrefectClient, place: Place) -> Iterator[DeploymentResponse]:
    """All of ours on the server that are for this store."""
    tagged = DeploymentFilter(tags=DeploymentFilterTags(all_=[*TAGS, *place.tags]))
    start = 0
    while page := client.read_deployments(
        deployment_filter=tagged, limit=DEPLOYMENTS_PAGE, offset=start
    ):
        start += len(page)
        for one in page:
            stores = [tag for tag in one.tags if tag.startswith(STORE_TAG)]
            if stores == place.tags and _is_ours(one):
                yield one


def _by_name(client: SyncPrefectClient, ours: RunnerDeployment) -> DeploymentResponse | None:
    """One of ours whose tags somebody has changed.

    Raises `InvalidSettings` where somebody else's has the name: registering would take its place.
    """
    name = f"{ours.flow_name}/{ours.name}"
    try:
        found = client.read_deployment_by_name(name)
    except ObjectNotFound:
        return None
    if not _is_ours(found):
        why = f"the server has a deployment {name} that is none of memtend's"
        raise InvalidSettings(name="--store", why=f"{why}; those of a named store end in its name")
    return found


def _is_ours(one: DeploymentResponse) -> bool:
    return str(one.entrypoint).startswith("memtend_flows.")


def keep_paused(served: Served, ours: RunnerDeployment, theirs: DeploymentResponse | None) -> None:
    """A schedule that the server has is as active as it is there: a person may have paused it.

    One that waits for a setting begins where the setting is there.
    """
    active = {one.slug: one.active for one in theirs.schedules} if theirs else {}
    waits = served.wants is not None and served.active
    for schedule in ours.schedules or ():
        schedule.active = waits or active.get(schedule.slug, schedule.active)


def _register(
    client: SyncPrefectClient,
    ours: RunnerDeployment,
    work: Work,
    theirs: DeploymentResponse | None,
) -> None:
    """Put it there, or in the place of what is there, schedules included. Within the pool its runs
    wait in the queue that a person has chosen."""
    wanted = _as_wanted(ours, work)
    stays = theirs is not None and theirs.work_pool_name == work.pool
    client.create_deployment(
        flow_id=client.create_flow_from_name(str(ours.flow_name)),
        name=ours.name,
        version=wanted["version"],
        schedules=cast("list[DeploymentScheduleCreate]", ours.schedules),
        concurrency_limit=ours.concurrency_limit,
        concurrency_options=ours.concurrency_options,
        parameters=wanted["parameters"],
        description=wanted["description"],
        tags=wanted["tags"],
        work_pool_name=work.pool,
        work_queue_name=theirs.work_queue_name if theirs and stays else None,
        entrypoint=wanted["entry point"],
        parameter_openapi_schema=wanted["form"],
        pull_steps=work.pull,
        job_variables=ENVIRONMENT,
        enforce_parameter_schema=True,
    )


def _as_wanted(ours: RunnerDeployment, work: Work) -> dict[str, Any]:
    """What is compared, by the words in which differences are told."""
    form = ours._parameter_openapi_schema
    return {
        "entry point": ours.entrypoint,
        "schedules": _schedules(ours.schedules or ()),
        "parameters": ours.parameters,
        "form": form.model_dump(mode="json", exclude_unset=True),
        "description": ours.description,
        "version": ours.version,
        "tags": sorted(ours.tags),
        "at once": _at_once(ours.concurrency_limit, ours.concurrency_options),
        "pool": work.pool,
        "folder": work.pull,
        "environment": ENVIRONMENT,
        "checks parameters": True,
    }


def _as_found(theirs: DeploymentResponse) -> dict[str, Any]:
    limit = theirs.global_concurrency_limit
    return {
        "entry point": theirs.entrypoint,
        "schedules": _schedules(theirs.schedules),
        "parameters": theirs.parameters,
        "form": theirs.parameter_openapi_schema,
        "description": theirs.description,
        "version": theirs.version,
        "tags": sorted(theirs.tags),
        "at once": _at_once(limit.limit if limit else None, theirs.concurrency_options),
        "pool": theirs.work_pool_name,
        "folder": theirs.pull_steps or [],
        "environment": theirs.job_variables,
        "checks parameters": theirs.enforce_parameter_schema,
    }


def _schedules(
    found: Sequence[DeploymentScheduleCreate | DeploymentSchedule | Any],
) -> dict[str, Any]:
    said = {}
    for one in found:
        schedule = one.schedule.model_dump(mode="json", include={"cron", "timezone"})
        said[str(one.slug)] = schedule | {"parameters": one.parameters, "active": one.active}
    return said


def _at_once(limit: int | None, options: ConcurrencyOptions | None) -> str:
    return f"{limit}, then {options.collision_strategy.value.lower()}" if options else str(limit)
