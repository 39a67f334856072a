"""How a task ended, as learning is told of it: plain, without the record that it was stored in.

What was not said is None. `writer` is who wrote the record, as the store knows it; what an outcome
says of its own author is only said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

SCORES: Final = {"success": 1.0, "partial_success": 0.5, "failure": 0.0, "timeout": 0.0,
                 "conflict": 0.0}  # fmt: skip
"""What a result counts for where nobody gave a score."""


class Ended(NamedTuple):
    """One outcome. `propensity` is the probability with which its strategy had been chosen."""

    outcome_id: str
    at_ms: int
    task_type: str
    result: str
    strategy: str | None = None
    propensity: float | None = None
    score: float | None = None
    duration_s: float | None = None
    cost: float | None = None
    context: Mapping[str, Any] = {}
    agents: tuple[str, ...] = ()
    swarm: str | None = None
    writer: str | None = None
    trusted: bool = False

    @property
    def success(self) -> float:
        """From 0 to 1."""
        return SCORES.get(self.result, 0.0) if self.score is None else self.score
