"""The place where learning plugs in: a `Recommender` answers which strategy to follow.

Without one, or where it has nothing to say, the answer is explicit: nothing is learned yet, and
this many outcomes are recorded. An agent never gets a made-up strategy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, Field

from memtend.model.layout import OUTCOMES

if TYPE_CHECKING:
    from memtend.memory import Memory


class Recommended(BaseModel, frozen=True, extra="forbid"):
    """What a recommender says. `propensity` goes back with the outcome, so that it can learn."""

    strategy: str = Field(min_length=1)
    propensity: float = Field(gt=0, le=1)
    expected_success: float | None = Field(default=None, ge=0, le=1)
    alternatives: tuple[str, ...] = ()
    why: str


class Recommender(Protocol):
    """What learning offers an agent. None means: not enough is known for this context."""

    def recommend(self, task_type: str | None, context: Mapping[str, Any]) -> Recommended | None:
        """The strategy for a task of this type in this context."""


class Advice(BaseModel, frozen=True, extra="forbid"):
    """The answer to an agent. `outcomes` counts what is recorded in the store to learn from."""

    learned: bool
    strategy: str | None = None
    propensity: float | None = None
    expected_success: float | None = None
    alternatives: tuple[str, ...] = ()
    outcomes: int
    why: str


def advise(
    memory: Memory,
    recommender: Recommender | None,
    task_type: str | None,
    context: Mapping[str, Any],
) -> Advice:
    """Ask the recommender, if there is one."""
    if memory.agent is not None:
        memory.config.allow(memory.agent, "read", OUTCOMES)
    rows = memory.store.engine.read("tally_of", ("ns", OUTCOMES))
    outcomes = int(rows[0][0]) if rows else 0
    found = recommender.recommend(task_type, context) if recommender else None
    if found is None:
        asked = "for this context" if recommender else "here"
        why = f"nothing is learned yet {asked}; outcomes recorded so far: {outcomes:,}"
        return Advice(learned=False, outcomes=outcomes, why=why)
    return Advice(learned=True, outcomes=outcomes, **found.model_dump())
