"""The score of a store: 100 less what each complaint takes off.

A penalty says how much is at stake, not how urgent it is: what threatens records that are there
weighs more than what makes the store slow, and that more than what is merely untidy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from memtend.health.report import Check, Level

_PENALTIES: Final = {Level.OK: 0, Level.WARNING: 5, Level.CRITICAL: 25}
_HEAVIER: Final = {
    Level.OK: {},
    Level.WARNING: {"backup": 10, "drill": 10},
    Level.CRITICAL: {
        "structure": 60, "file": 60, "reading": 60, "integrity": 50, "dictionaries": 40,
        "archive": 40, "audit": 40, "chain": 40, "backup": 40, "target": 40,
    },
}  # fmt: skip
"""Of the checks on which it depends whether anything is left at all. What keeps another check from
being made costs no less than that one: a store does not get better by being unreadable."""


def weighed(check: Check) -> Check:
    """The check with what it takes off."""
    penalty = _HEAVIER[check.level].get(check.name, _PENALTIES[check.level])
    return check.model_copy(update={"penalty": penalty})


def score_of(checks: Iterable[Check]) -> int:
    return max(0, 100 - sum(check.penalty for check in checks))
