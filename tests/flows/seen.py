"""What an onlooker of the Prefect server sees: pages, events, and everything there is to read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from prefect.client.orchestration import get_client

from memtend.limits import SERVER_STOP_S_MAX

T = TypeVar("T")
PAGE = 200
NEWEST = {"limit": PAGE, "sort": "EXPECTED_START_TIME_DESC"}


def ask(path: str, body: dict[str, Any]) -> Any:
    with get_client(sync_client=True) as client:
        answer = client._client.post(path, json=body)
        answer.raise_for_status()
        return answer.json()


def pages(key: str) -> list[str]:
    """The content of the artifacts of a key, newest first."""
    rows = ask("/artifacts/filter", {"artifacts": {"key": {"any_": [key]}}, "limit": PAGE})
    rows.sort(key=lambda row: str(row["created"]), reverse=True)
    return [str(row["data"]) for row in rows]


def events(name: str, resource: str, least: int = 1) -> list[dict[str, Any]]:
    """Events of a resource. They travel behind the run, so this waits for `least` of them."""
    query = {"filter": {"event": {"name": [name]}, "resource": {"id": [resource]}}, "limit": 50}

    def look() -> list[dict[str, Any]]:
        found = list(ask("/events/filter", query)["events"])
        return found if len(found) >= least else []

    return eventually(look)


def run_names() -> set[str]:
    return {str(run["name"]) for run in ask("/flow_runs/filter", NEWEST)}


def task_attempts(task: str, store: str) -> int:
    """How often the newest run of a task was tried, in flow runs on this store."""
    runs = ask("/flow_runs/filter", NEWEST)
    mine = [run["id"] for run in runs if run["parameters"].get("store") == store]
    query = {"flow_runs": {"id": {"any_": mine}}, "sort": "EXPECTED_START_TIME_DESC"}
    found = eventually(lambda: _ended(ask("/task_runs/filter", query), task))
    return int(found[0]["run_count"])


def _ended(rows: list[dict[str, Any]], task: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["name"].startswith(task) and row["end_time"]]


def is_logged(run: str) -> bool:
    """Whether the end of the newest run whose name has this in it is in the log. Costs two
    questions, where all that the server tells costs hundreds."""
    query = {"flow_runs": {"name": {"like_": run}}, "sort": "START_TIME_DESC", "limit": 1}
    for found in ask("/flow_runs/filter", query):
        logs = {"logs": {"flow_run_id": {"any_": [found["id"]]}}, "limit": PAGE}
        return any("Finished in state" in row["message"] for row in ask("/logs/filter", logs))
    return False


def everything() -> str:
    """All that the server tells: runs with parameters and states, logs, artifacts, events."""
    paths = ("/flow_runs", "/task_runs", "/logs", "/artifacts", "/v2/concurrency_limits",
             "/block_documents", "/automations")  # fmt: skip
    return "\n".join([*(str(_all(f"{path}/filter")) for path in paths), *_all_events()])


def _all(path: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while page := ask(path, {"limit": PAGE, "offset": len(rows)}):
        rows += page
    return rows


def _all_events() -> Iterator[str]:
    answer = ask("/events/filter", {"limit": 50})
    with get_client(sync_client=True) as client:
        while True:
            yield str(answer["events"])
            if not answer["next_page"]:
                return
            answer = client._client.get(answer["next_page"]).json()


def eventually(look: Callable[[], T]) -> T:
    """What `look` sees, once there is something to see, or at the end of the wait."""
    deadline = time.monotonic() + SERVER_STOP_S_MAX
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return seen
