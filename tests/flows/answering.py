"""Somebody at the form: runs that wait for a yes, and the answers to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

from prefect import State
from prefect.client.orchestration import get_client

from memtend_tasks.address import to_address
from tests.flows.scratch import Scratch
from tests.flows.seen import ask, eventually, pages


@contextmanager
def start(flow: Callable[..., Any], *given: Any, **named: Any) -> Iterator[Future[State[Any]]]:
    """Run a flow beside the test, which has to answer it."""

    def run() -> State[Any]:
        state: State[Any] = flow(*given, return_state=True, **named)
        return state

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(copy_context().run, run)


def answer(place: Scratch, **given: object) -> str:
    """Fill in the form of the waiting run; what it showed."""
    query = {"flow_runs": {"state": {"type": {"any_": ["PAUSED"]}}}}

    def waiting() -> list[dict[str, Any]]:
        rows = ask("/flow_runs/filter", query)
        return [row for row in rows if row["parameters"]["store"] == place.store]

    [run] = eventually(waiting)
    key = run["state"]["state_details"]["run_input_keyset"]["description"]
    # A run is paused before its form is there, and an answer in between would not be taken.
    path = f"/flow_runs/{run['id']}/input/filter"
    [shown] = eventually(lambda: ask(path, {"prefix": key, "limit": 1}))
    with get_client(sync_client=True) as client:
        client._client.post(f"/flow_runs/{run['id']}/resume", json={"run_input": given})
    return str(shown["value"])


def digest(place: Scratch, operation: str) -> str:
    """That of the newest plan, from its page."""
    page = pages(f"{operation}-plan-{to_address(place.store).label}")[0]
    return page.split("Reviewed plan: `")[1][:64]
