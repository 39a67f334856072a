"""What every flow of ours does beside its work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect import runtime, tags
from prefect.client.orchestration import get_client
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    temporary_settings,
)

from memtend.errors import DeletesTooMuch, NotFound
from memtend.limits_flows import HEARTBEAT_S
from memtend_flows import decorator
from memtend_flows.decorator import memory_flow
from memtend_tasks.address import to_address
from memtend_tasks.decorator import memory_task
from memtend_tasks.lost import Seen
from memtend_tasks.publish import RUN_REFUSED
from memtend_tasks.runs import seen_of, with_sign_of_life
from tests.flows.scratch import Scratch
from tests.flows.seen import ask, events, eventually


@memory_task
def count(store: str) -> int:
    return len(store)


@memory_flow
def inner(store: str) -> int:
    return count(store)


@memory_flow
def outer(store: str) -> int:
    return inner(store)


@memory_flow
def daring(store: str) -> None:
    raise DeletesTooMuch(operation="daring", share=0.5, total=4, limit=0.25)


@memory_flow
def searching(store: str) -> None:
    raise NotFound(namespace="task/secret", key="k")


@memory_flow
def beat(store: str) -> int | None:
    every_s: int | None = PREFECT_FLOWS_HEARTBEAT_FREQUENCY.value()
    return every_s


@memory_flow
def beats(store: str) -> tuple[int | None, int | None]:
    return beat.fn(store), beat(store)


@memory_flow
def heard(store: str) -> bool:
    with get_client(sync_client=True) as client:
        own = seen_of(client.read_flow_run(UUID(runtime.flow_run.id)))
        assert own is not None
        before = own._replace(since=own.since - timedelta(minutes=1))
        return eventually(lambda: with_sign_of_life(client, before).heard is not None)


@memory_flow
def lively(store: str) -> bool:
    return heard(store)


def test_a_refusal_goes_out_without_its_words(scratch: Scratch) -> None:
    """And nothing else that goes wrong does."""
    with pytest.raises(NotFound):
        searching(scratch.store)
    with pytest.raises(DeletesTooMuch):
        daring(scratch.store)
    label = to_address(scratch.store).label
    [run] = eventually(lambda: runs("/flow_runs/filter", "daring", scratch.store))
    assert (run["state_type"], run["state_name"]) == ("FAILED", "Refused")
    assert "HINT: " in run["state"]["message"]
    [event] = events(RUN_REFUSED, f"memtend.store.{label}")
    assert event["payload"] == {"flow": "daring", "error": "DeletesTooMuch", "code": 41}


def test_a_run_within_one_of_ours_is_ours(scratch: Scratch) -> None:
    """Its tasks are not told so: for each tag of a task Prefect asks the server for a place."""
    with tags("memtend", "deletes"):
        outer(scratch.store)
    within = eventually(lambda: runs("/flow_runs/filter", "inner", scratch.store))
    assert [set(run["tags"]) for run in within] == [{"memtend", "deletes"}]
    tasks = {"flow_runs": {"id": {"any_": [within[0]["id"]]}}}
    [task] = eventually(lambda: ask("/task_runs/filter", tasks))
    assert task["tags"] == ["deletes"]


def test_a_run_of_somebody_else_stays_theirs(scratch: Scratch) -> None:
    outer(scratch.store)
    [within] = eventually(lambda: runs("/flow_runs/filter", "inner", scratch.store))
    assert within["tags"] == []


def runs(path: str, flow: str, store: str) -> list[dict[str, Any]]:
    query = {"flows": {"name": {"any_": [flow]}}, "limit": 200}
    return [run for run in ask(path, query) if run["parameters"].get("store") == store]


def test_a_run_gives_a_heartbeat_and_one_within_it_none(lives: None) -> None:
    """Where the server is embedded nobody listens, and so none does."""
    assert beats("sqlite:///a") == (HEARTBEAT_S, None)
    with temporary_settings({PREFECT_API_URL: None}):
        assert beats("sqlite:///a") == (None, None)


def test_a_run_within_another_lives_by_the_heartbeat_of_that(lives: None) -> None:
    assert lively("sqlite:///a")


def test_a_run_whose_outer_one_is_forgotten_is_asked_after_itself(prefect: None) -> None:
    now = datetime.now(UTC)
    gone = Seen(uuid4(), "inner", None, {}, "RUNNING", "Running", now, now, 1, within=uuid4())
    with get_client(sync_client=True) as client:
        assert with_sign_of_life(client, gone) == gone


@pytest.fixture
def lives(prefect: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decorator, "HEARTBEAT_S", HEARTBEAT_S)
