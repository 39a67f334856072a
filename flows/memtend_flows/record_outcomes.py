"""Outcomes from outside: how tasks ended, told by systems that only speak to Prefect."""

from typing import Annotated

from pydantic import Field

from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Name, Store
from memtend_tasks.opened import store_address
from memtend_tasks.outcomes import (
    OUTCOMES_AT_ONCE,
    OutcomesRecorded,
    TaskOutcome,
    record_outcomes_of,
)
from memtend_tasks.publish import publish_page
from memtend_tasks.sentence import sentence

Outcomes = Annotated[list[TaskOutcome], Field(max_length=OUTCOMES_AT_ONCE)]


@memory_flow
def record_outcomes(
    store: Store = "default",
    agent: Name = "prefect",
    swarm: Name = "flows",
    outcomes: Outcomes = [],  # noqa: B006 — Prefect shows it in the form; nobody changes it
) -> OutcomesRecorded:
    """Record how tasks ended, so that `learn` can say which strategy works. Deletes nothing.

    Flows of your own record their outcomes themselves: `recorded_outcome` and `outcome_hook` of
    `memtend_tasks.outcomes`. The same `outcome_id` twice is one outcome.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        agent: Who tells it; learning can leave an agent's outcomes out.
        swarm: The swarm whose tasks they are.
        outcomes: Each with task_type, result (success, failure, partial_success, timeout or
            conflict) and, to be learned from, strategy and propensity.
    """
    recorded = record_outcomes_of(store, agent, swarm, outcomes)
    publish_page(store_address(store), "Outcomes recorded", [sentence(recorded)], recorded)
    return recorded
