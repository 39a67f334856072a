"""Runs that died: seen on the server, told as crashed, begun again; and places that nobody holds.

Looked at are the runs of flows that have a deployment with our tag, and nothing else on the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prefect import runtime
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.objects import State
from prefect.client.schemas.responses import (
    DeploymentResponse,
    SetStateStatus,
)
from prefect.states import AwaitingRetry, Crashed
from pydantic import BaseModel

from memtend.clock import SystemClock, to_datetime
from memtend.limits_flows import AGAIN_AFTER_S, BEGIN_S, SILENT_S
from memtend_tasks.decorator import memory_task
from memtend_tasks.lost import Seen, again, lost, may_begin_again
from memtend_tasks.runs import active, crashed, limits, ours, with_sign_of_life, younger

SILENT = "Nothing was heard of it for {silent:.0f} s: its process or its machine is gone."
NEVER_BEGAN = "It was handed out and never began: who was to run it is gone."
AGAIN = "It was cut off, and what is left of its work is done now."


class Reclaimed(BaseModel, frozen=True, extra="forbid"):
    """What was found and done, by the names of runs and limits.

    `crashed` looked alive and are dead, `again` begin again, `given_up` were cut off too often, and
    `freed` are limits with a place that nobody held.
    """

    crashed: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()
    freed: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """What was given up before is no news."""
        return not (self.crashed or self.again or self.freed)


@memory_task
def reclaim_runs(
    silent_s: float = SILENT_S, begin_s: float = BEGIN_S, after_s: float = AGAIN_AFTER_S
) -> Reclaimed:
    """Tell the dead, let them begin again, and give back what they held."""
    with get_client(sync_client=True) as client:
        deployments = ours(client)
        now = to_datetime(SystemClock().now_ms())
        dead = tuple(_bury(client, deployments, now, silent_s, begin_s))
        waiting = tuple(_revive(client, deployments, now, after_s))
        freed = tuple(_free(client, deployments, now))
        spent = (run for run in crashed(client, deployments, now) if not may_begin_again(run))
        given_up = tuple(run.name for run in spent if run.deployment)
    return Reclaimed(crashed=dead, again=waiting, given_up=given_up, freed=freed)


def _bury(
    client: SyncPrefectClient,
    deployments: list[DeploymentResponse],
    now: datetime,
    silent_s: float,
    begin_s: float,
) -> Iterator[str]:
    """A run is asked after only when its state has not changed for so long."""
    for seen in active(client, deployments):
        if not lost(seen, now, silent_s, begin_s):
            continue
        run = with_sign_of_life(client, seen)
        if lost(run, now, silent_s, begin_s):
            why = NEVER_BEGAN if run.state == "PENDING" else SILENT.format(silent=silent_s)
            if _is_set(client, run, Crashed(message=why)):
                yield run.name


def _revive(
    client: SyncPrefectClient,
    deployments: list[DeploymentResponse],
    now: datetime,
    after_s: float,
) -> Iterator[str]:
    died = crashed(client, deployments, now)
    if not died:
        return
    known = {run.id: run for run in younger(client, died, now)}
    known |= {run.id: with_sign_of_life(client, run) for run in died}
    for run in again(list(known.values()), now, after_s):
        if _is_set(client, run, AwaitingRetry(message=AGAIN)):
            yield run.name


def _free(
    client: SyncPrefectClient, deployments: list[DeploymentResponse], now: datetime
) -> Iterator[str]:
    """Places of a server that has forgotten who held them, once nobody can be holding them."""
    at_work = active(client, deployments)
    busy = [run for run in at_work if str(run.id) != runtime.flow_run.id]
    taken = {run.deployment for run in at_work}
    idle = [one for one in deployments if one.id not in taken]
    for limit in limits(client, idle, turns=not busy):
        old = limit.updated and (now - limit.updated).total_seconds() > BEGIN_S
        if limit.active_slots and old:
            none = GlobalConcurrencyLimitUpdate(active_slots=0)
            client.update_global_concurrency_limit(limit.name, none)
            yield limit.name


def _is_set(client: SyncPrefectClient, run: Seen, state: State[None]) -> bool:
    """False where the run has gone on meanwhile."""
    answer = client.set_flow_run_state(run.id, state)
    return answer.status is SetStateStatus.ACCEPT
