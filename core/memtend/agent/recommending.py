"""The place where learning plugs in: a `Recommender` answers which strategy to follow.

Without one, or where it has nothing to say, the answer is explicit: nothing is learned yet, and
this many outcomes are recorded. An agent never gets a made-up strategy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, Field

from memtend.errors import InvalidValue, MemtendError
from memtend.model.layout import OUTCOMES, is_text

if TYPE_CHECKING:
    from memtend.memory import Memory


class Reason(BaseModel, frozen=True, extra="forbid"):
    """A field of the context, and by how much it puts the strategy ahead of the next best one
    (below 0: behind it), in the unit of the objective."""

    field: str
    value: str
    effect: float


class PastCase(BaseModel, frozen=True, extra="forbid"):
    """An outcome in a context like this one. `case` is a digest of its id; `alike` a share."""

    case: str
    strategy: str
    success: float
    alike: float


class Recommended(BaseModel, frozen=True, extra="forbid"):
    """What a recommender says. `propensity` goes back with the outcome, so that it can learn.

    `learned`: the context was asked; else it is the strategy in use today, for `why`. `explored`:
    it was drawn to learn from, and is not the best known. The interval of success is of 90 %.
    """

    strategy: str = Field(min_length=1)
    propensity: float = Field(gt=0, le=1)
    expected_success: float | None = Field(default=None, ge=0, le=1)
    success_low: float | None = Field(default=None, ge=0, le=1)
    success_high: float | None = Field(default=None, ge=0, le=1)
    alternatives: tuple[str, ...] = ()
    learned: bool = True
    explored: bool = False
    model: str | None = None
    reasons: tuple[Reason, ...] = ()
    cases: tuple[PastCase, ...] = ()
    why: str


class Recommender(Protocol):
    """What learning offers an agent. None means: not enough is known for this context."""

    def recommend(self, task_type: str | None, context: Mapping[str, Any]) -> Recommended | None:
        """The strategy for a task of this type in this context."""


class Advice(BaseModel, frozen=True, extra="forbid"):
    """The answer to an agent. `outcomes` counts what is recorded in the store to learn from.

    Where nothing is learned, `strategy` may still be the one in use today, as a model knows it.
    """

    learned: bool
    strategy: str | None = None
    propensity: float | None = None
    expected_success: float | None = None
    success_low: float | None = None
    success_high: float | None = None
    alternatives: tuple[str, ...] = ()
    explored: bool = False
    model: str | None = None
    reasons: tuple[Reason, ...] = ()
    cases: tuple[PastCase, ...] = ()
    context: dict[str, Any] = Field(default_factory=dict)
    outcomes: int
    why: str

    def for_outcome(self) -> dict[str, Any]:
        """What `record_task_outcome` needs of it, for the agent that followed it.

        `agent.record_task_outcome("build", "success", **advice.for_outcome())`
        """
        told: dict[str, Any] = {"context": self.context}
        if self.strategy is not None:
            told |= {"strategy": self.strategy, "propensity": self.propensity}
        if self.model is not None:
            told["metadata"] = {"model": self.model, "explored": self.explored}
        return told


def advise(
    memory: Memory,
    recommender: Recommender,
    task_type: str | None,
    context: Mapping[str, Any] | None,
    where: str,
) -> Advice:
    """Ask the recommender; `where` nothing is learned, if it has nothing to say. What keeps it from
    answering is said, not raised. Raises `InvalidValue` for what is no task type or context."""
    asked = _asked(task_type, context)
    if memory.agent is not None:
        memory.config.allow(memory.agent, "read", OUTCOMES)
    rows = memory.store.engine.read("tally_of", ("ns", OUTCOMES))
    outcomes = int(rows[0][0]) if rows else 0
    why = f"nothing is learned yet {where}"
    try:
        found = recommender.recommend(task_type, asked)
    except MemtendError as error:
        found, why = None, f"what was learned cannot be used: {error}"
    if found is None:
        why = f"{why}; outcomes recorded so far: {outcomes:,}"
        return Advice(learned=False, outcomes=outcomes, context=asked, why=why)
    return Advice(**{**dict(found), "outcomes": outcomes, "context": asked})


def _asked(task_type: object, context: object) -> dict[str, Any]:
    """The context. What could not be recorded with the outcome is not asked about either."""
    if task_type is not None and not (isinstance(task_type, str) and is_text(task_type)):
        raise InvalidValue(name="task_type", why=f"{ascii(task_type)[:64]} is no text")
    given = {} if context is None else context
    if not isinstance(given, Mapping):
        raise InvalidValue(name="context", why="it is no object with named fields")
    for name in given:
        if not (isinstance(name, str) and is_text(name)):
            raise InvalidValue(name="context", why=f"{ascii(name)[:64]} is no name of a field")
    return dict(given)
