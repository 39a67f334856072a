"""The process that runs what is due or was asked for: every deployment of `schedules`.

`memtend serve` starts it beside a server, with the argument `beside`; alone it needs
PREFECT_API_URL. Beside its server it sees for itself when a process dies that it started, and what
was cut off with both of them it finds when it starts. So it does without the automation that
listens to heartbeats: on SQLite that meets the server's other writers, who then wait for each
other, for minutes at worst.
"""

import sys
import warnings

from prefect import serve
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.responses import DeploymentResponse
from prefect.deployments.runner import RunnerDeployment

from memtend.limits import SERVED_RUNS_MAX
from memtend.limits_flows import SILENT_S
from memtend_flows.automating import automations
from memtend_flows.changes import carry_out
from memtend_flows.deployment import HERE, deployment
from memtend_flows.program import run_program
from memtend_flows.registering import keep_paused, of_store
from memtend_flows.schedules import SERVED
from memtend_flows.server import server
from memtend_tasks.reclaim import reclaim_runs

BESIDE = "beside"


def served(client: SyncPrefectClient) -> list[RunnerDeployment]:
    """Every deployment, as a server that may know some of them is to have it.

    Prefect leaves a schedule alone that a deployment no longer has; it would go on beside the new
    ones.
    """
    found = {one.name: one for one in of_store(client, HERE)}
    made = []
    for one in SERVED:
        ours = deployment(one)
        theirs = found.get(ours.name)
        keep_paused(one, ours, theirs)
        if theirs:
            _drop_schedules(client, ours, theirs)
        made.append(ours)
    return made


def _drop_schedules(
    client: SyncPrefectClient, ours: RunnerDeployment, theirs: DeploymentResponse
) -> None:
    kept = {schedule.slug for schedule in ours.schedules or ()}
    for old in theirs.schedules:
        if old.slug not in kept:
            client.delete_deployment_schedule(theirs.id, old.id)


def prepared(
    client: SyncPrefectClient, *, beside: bool, silent_s: float = SILENT_S
) -> list[RunnerDeployment]:
    """What is to be served, once automations are there and the dead of another time told so."""
    carry_out(automations(client, watch=not beside))
    if beside:
        reclaim_runs.fn(silent_s)
    return served(client)


def main() -> None:
    with server() as client:
        made = prepared(client, beside=sys.argv[1:] == [BESIDE])
    # Prefect's own, of a signal that it handles; nobody can do anything about it.
    warnings.filterwarnings("ignore", "coroutine 'Runner.astop'", RuntimeWarning)
    serve(
        *made,
        limit=SERVED_RUNS_MAX,
        pause_on_shutdown=False,
        print_starting_message=False,
    )


if __name__ == "__main__":
    raise SystemExit(run_program(main))
