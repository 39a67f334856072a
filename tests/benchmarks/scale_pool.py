"""Stores of several teams on one PostgreSQL server, tended by the workers of a process pool."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import product
from typing import TYPE_CHECKING, Any

from memtend.services import open_services
from memtend.store.catalog import last
from tests.benchmarks.harness import expect

if TYPE_CHECKING:
    from tests.benchmarks.scale import Place

RECORDS = 5_000
FLOWS: tuple[tuple[str, dict[str, object]], ...] = (
    ("backup", {"full": True}),
    ("verify", {}),
    ("sweep", {"dry_run": False}),
    ("prune", {"dry_run": True}),
    ("health", {}),
)


def rows(where: Place, teams: int) -> Iterator[tuple[str, ...]]:
    """One worker, then two: each takes one run at a time, as a process of its own."""
    from tests.benchmarks import scale  # noqa: PLC0415

    with ExitStack() as stack:
        stores = {
            f"team-{n}": stack.enter_context(where.server.database()) for n in range(1, teams + 1)
        }
        for name, store in stores.items():
            scale.fill(store, RECORDS)
            _deploy(where, name, store)
        _pause()
        roots = []
        for workers in (1, 2):
            line = ("prefect", "worker", "start", "--pool", "memtend", "--limit", "1")
            stack.enter_context(scale.program(line, where.environment, where.folder))
            scale.wait_until(lambda: _online() == workers)  # noqa: B023
            before = scale.bytes_of(where.prefect)
            took, runs = scale.timed(lambda: _run_all(list(stores)))
            grown = (scale.bytes_of(where.prefect) - before) / runs
            roots.append([_newest(store) for store in stores.values()])
            expect(roots[-1], roots[0], "roots of the backups")
            rate = f"{60 * runs / took:.1f}"
            yield str(workers), str(runs), f"{took:.0f}", rate, f"{grown / 1_000:,.0f} KB"


def _deploy(where: Place, name: str, store: str) -> None:
    """As an operator would: addresses in blocks, deployments of the store's own."""
    given = where.environment | {
        "MEMTEND_STORE_URL": store,
        "MEMTEND_BACKUP_URL": str(where.folder / f"backups-{name}"),
    }
    init = ("blocks", "init", name, "--what", "store", "--what", "backup")
    for line in (init, ("deploy", "--store", name, "--target", name)):
        command = (sys.executable, "-m", "memtend.cli", *line)
        subprocess.run(command, env=given, cwd=where.folder, check=True, stdout=subprocess.DEVNULL)


def _pause() -> None:
    """Only what is measured runs."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415

    with get_client(sync_client=True) as client:
        for one in client.read_deployments(limit=200):
            for schedule in one.schedules:
                client._client.patch(
                    f"/deployments/{one.id}/schedules/{schedule.id}", json={"active": False}
                ).raise_for_status()


def _online() -> int:
    from prefect.client.orchestration import get_client  # noqa: PLC0415

    with get_client(sync_client=True) as client:
        answer = client._client.post("/work_pools/memtend/workers/filter", json={})
        return sum(one["status"] == "ONLINE" for one in answer.json())


def _run_all(names: list[str]) -> int:
    """Ask for every flow of every store, and wait until all have ended."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415
    from prefect.client.schemas.objects import StateType  # noqa: PLC0415
    from prefect.deployments import run_deployment  # noqa: PLC0415

    from tests.benchmarks.scale import wait_until  # noqa: PLC0415

    asked: list[Any] = [
        run_deployment(f"{flow}/{flow}-{name}", parameters=more, timeout=0, as_subflow=False)
        for (flow, more), name in product(FLOWS, names)
    ]
    with get_client(sync_client=True) as client:

        def ended() -> bool:
            types = [client.read_flow_run(run.id).state_type for run in asked]
            if wrong := set(types) & {StateType.FAILED, StateType.CRASHED, StateType.CANCELLED}:
                raise SystemExit(f"a run has ended as {wrong}; see the log")
            return set(types) == {StateType.COMPLETED}

        wait_until(ended, 1_800)
    return len(asked)


def _newest(store: str) -> str:
    """What the newest backup says that the whole store adds up to."""
    with open_services(store, create=False) as services:
        newest = last(services.store)
        return newest.root if newest else ""
