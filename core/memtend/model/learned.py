"""Models in the registry of a store: fitted on what, how good, and which is in use."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from pydantic import AwareDatetime, BaseModel, Field

from memtend.model.archiverule import NAME_PATTERN

STRATEGY: Final = "strategy"
TTL: Final = "ttl"
SERVED: Final = "serve.npz"
CARD: Final = "card.md"
"""Files of a model: what serves, and what people read."""
ADOPTED: Final = "adopted"
EXCLUDED: Final = "excluded"
INSIGHTS: Final = "insights"
"""Names in the facts of a model of strategies."""


class ModelStatus(StrEnum):
    """Of a scenario and kind one model at most is active."""

    CANDIDATE = "candidate"
    ACTIVE = "active"
    RETIRED = "retired"
    REFUSED = "refused"


class ModelFileFacts(BaseModel, frozen=True, extra="forbid"):
    """One file of a model, by which it is known again."""

    name: str
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class ModelEntry(BaseModel, frozen=True, extra="forbid"):
    """One model. `parent` is the one that was active when it was fitted; `why` is the gate's word.

    `facts` holds figures with their intervals, features, counts and limits, as the card tells them.
    """

    model_id: str
    scenario: str = Field(pattern=NAME_PATTERN)
    kind: str
    """`STRATEGY` or `TTL`."""
    status: ModelStatus
    made_at: AwareDatetime
    promoted_at: AwareDatetime | None = None
    parent: str | None = None
    program: str
    seed: int
    rows: int = Field(ge=0)
    first_at: AwareDatetime | None = None
    last_at: AwareDatetime | None = None
    files: tuple[ModelFileFacts, ...] = ()
    why: str = ""
    facts: dict[str, Any] = Field(default_factory=dict)

    @property
    def adopted(self) -> bool:
        """Whether the gate has let it pass."""
        return bool(self.facts.get(ADOPTED))

    @property
    def excluded(self) -> tuple[str, ...]:
        """Writers whose outcomes it was not learned from."""
        return tuple(str(one) for one in self.facts.get(EXCLUDED, ()))
