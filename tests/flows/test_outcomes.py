"""How tasks ended gets into the store: from flows of the house, and from anybody's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prefect import State, flow

from memtend.agent.memory import AgentMemory
from memtend.agent.outcome import Outcome
from memtend.errors import LeaseHeld
from memtend.memory import Memory
from memtend_flows.record_outcomes import record_outcomes
from memtend_tasks.address import to_address
from memtend_tasks.outcomes import TaskOutcome, outcome_hook, record_outcome, recorded_outcome
from tests.flows.scratch import Scratch
from tests.flows.seen import pages


def kept(store: str) -> dict[str, Outcome]:
    """By task type."""
    with Memory.open(store, create=False) as memory:
        found = AgentMemory(memory, "reader", "team").outcomes(swarm="*", limit=1_000)
    return {one.task_type: one for one in found}


def test_outcomes_told_from_outside_are_kept_once(scratch: Scratch) -> None:
    told = [
        TaskOutcome(task_type="build", result="success", strategy="solo", propensity=0.5,
                    context={"files": 3}, outcome_id="ci-1"),
        TaskOutcome(task_type="review", result="timeout", duration_s=60, outcome_id="ci-2"),
    ]  # fmt: skip
    for _ in range(2):
        assert record_outcomes(scratch.store, outcomes=told).recorded == 2
    found = kept(scratch.store)
    assert {name: one.outcome_type for name, one in found.items()} == {
        "build": "success", "review": "timeout",
    }  # fmt: skip
    assert found["build"].context == {"files": 3}
    assert found["build"].recorded_by == "prefect"
    assert "2 outcomes recorded" in pages(f"outcomes-recorded-{to_address(scratch.store).label}")[0]


def test_a_flow_of_ones_own_records_itself(scratch: Scratch, tmp_path: Path) -> None:
    """A task called by hand, what happens inside a `with`, and states seen by a hook."""
    hook = outcome_hook(
        task_type="deploy", store=scratch.store, strategy="canary", agent="builder", swarm="team"
    )

    @flow(on_failure=[hook], on_completion=[hook])
    def deploy() -> None:
        record_outcome(
            scratch.store, "builder", "team", TaskOutcome(task_type="a", result="success")
        )
        with recorded_outcome(
            task_type="b",
            store=scratch.store,
            strategy="pair",
            propensity=0.25,
            agent="builder",
            swarm="team",
        ) as outcome:
            outcome.score, outcome.cost = 0.8, 1.5
        for name, error in (("c", TimeoutError()), ("d", ValueError())):
            with (
                pytest.raises(type(error)),
                recorded_outcome(
                    task_type=name, store=scratch.store, agent="builder", swarm="team"
                ),
            ):
                raise error
        with recorded_outcome(
            task_type="e", store=str(tmp_path / "none.db"), agent="builder", swarm="team"
        ):
            """Nobody can record it, and the run goes on."""
        raise RuntimeError("the cluster is full")

    state: State[Any] = deploy(return_state=True)
    assert "the cluster is full" in str(state.message)
    found = kept(scratch.store)
    assert {name: one.outcome_type for name, one in found.items()} == {
        "a": "success", "b": "success", "c": "timeout", "d": "failure", "deploy": "failure",
    }  # fmt: skip
    assert (found["b"].success_score, found["b"].cost, found["b"].propensity) == (0.8, 1.5, 0.25)
    assert found["deploy"].strategy == "canary"
    assert (found["deploy"].duration_s or 0) > 0
    assert not (tmp_path / "none.db").exists()


def test_a_lease_that_somebody_has_is_a_conflict(scratch: Scratch) -> None:
    held = LeaseHeld(resource="deploy/web", holder="ada", left_s=9.0)
    with (
        pytest.raises(LeaseHeld),
        recorded_outcome(task_type="x", store=scratch.store, agent="builder", swarm="team"),
    ):
        raise held
    assert kept(scratch.store)["x"].outcome_type == "conflict"
