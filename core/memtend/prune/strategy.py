"""What every prune strategy is: something that looks at one record and names a rule, or nothing.

A strategy knows nothing of shields, of the other strategies or of a store. So one that was learned
joins by giving another `ValueOf`, and one that is new by a line in `plan.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from memtend.model.plan import Action

if TYPE_CHECKING:
    from memtend.model.candidate import Candidate

DELETE = Action.DELETE
ARCHIVE = Action.ARCHIVE
DAY_MS = 24 * 3_600_000


class Verdict(NamedTuple):
    """`rule` without the name of its strategy. See `PruneDecision` for the rest."""

    rule: str
    action: Action
    reason: str
    score: float | None = None
    merge_into: int = 0


Judge = Callable[["Candidate"], Verdict | None]
"""The same record gets the same verdict however often it is asked for."""


class Strategy(Protocol):
    """The first verdict counts."""

    @property
    def name(self) -> str: ...

    def judge_of(self, kind: str) -> Judge | None:
        """Asked once for each kind, and once with no kind for all that say nothing of themselves.
        None where the strategy takes nothing of it."""


class ValueOf(Protocol):
    """What a record is worth, 0..1. None where nothing says so: never a guess in its place."""

    def __call__(self, candidate: Candidate) -> float | None: ...


def days(ms: int) -> str:
    """Whole days that have passed."""
    count = ms // DAY_MS
    return f"{count:,} day" if count == 1 else f"{count:,} days"
