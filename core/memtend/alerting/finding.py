"""What a look at the store has found. Pure values between the rules and the states."""

from __future__ import annotations

from typing import NamedTuple

from memtend.model.alert import AlertLevel, Kept

HEALTH = "health."


class Finding(NamedTuple):
    """`lapses_ms`: it is about something that happened, and no later look can find it well."""

    rule: str
    scope: str
    level: AlertLevel
    fact: str
    hint: str = ""
    value: float | None = None
    lapses_ms: int | None = None

    @property
    def subject(self) -> tuple[str, str]:
        return self.rule, self.scope


class Look(NamedTuple):
    """`observed` are the rules of which everything was seen: what is not found is well.

    `health`: the checks of health were made; `wide`: with the backups. `sampled` are rules that
    each look sees a part of: they are well when nothing was found for a day.
    """

    findings: tuple[Finding, ...] = ()
    observed: frozenset[str] = frozenset()
    health: bool = False
    wide: bool = False
    sampled: frozenset[str] = frozenset()

    def saw(self, kept: Kept) -> bool:
        """Whether this look would have found the alert if there still was a cause. What nobody
        looked at is unknown, not well."""
        if kept.lapses_ms is not None:
            return False
        if kept.rule.startswith(HEALTH):
            return self.health and (self.wide or not kept.wide)
        return kept.rule in self.observed
