"""Alerts: something that somebody should know of, from its first time to its end.

An alert is one rule about one scope: `agent.memory` about `agent ada`. However often a check finds
the same, it is the same alert. `Kept` is an alert as it is kept, `Alert` as it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from pydantic import AwareDatetime, BaseModel

from memtend.clock import to_datetime
from memtend.limits_upkeep import ALERT_CHARS_MAX, ALERT_FLAP_OPENINGS

STORE_SCOPE = "store"
CUT = "…"
"""At the end of a text that was too long."""


class AlertLevel(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return _LEVELS.index(self)


_LEVELS = tuple(AlertLevel)


class AlertState(StrEnum):
    """Acknowledged: somebody is at it, and need not be reminded."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Told(NamedTuple):
    """What one channel was told of an alert. `at_ms` 0: nothing yet, and `tries` were in vain.

    `trying_ms`: since when somebody has been telling it.
    """

    at_ms: int = 0
    level: AlertLevel = AlertLevel.INFO
    ended: bool = False
    tries: int = 0
    trying_ms: int = 0


class Kept(NamedTuple):
    """An alert as it is kept.

    `openings` are the times it opened of late, the last one last. `calm_ms`: since when one
    that must rest before it ends has been well. `wide`: found by a check that looked at the
    backups, too. `lapses_ms`: it is about something that happened, and ends so long after the last
    time.
    `by_hand`: somebody resolved it.
    """

    id: str
    rule: str
    scope: str
    level: AlertLevel
    state: AlertState
    fact: str
    hint: str
    value: float | None
    first_ms: int
    last_ms: int
    ended_ms: int | None
    seen: int
    openings: tuple[int, ...]
    calm_ms: int | None = None
    wide: bool = False
    lapses_ms: int | None = None
    by_hand: bool = False
    by: str = ""
    note: str = ""
    told: Mapping[str, Told] = {}

    @property
    def subject(self) -> tuple[str, str]:
        return self.rule, self.scope

    @property
    def stands(self) -> bool:
        return self.state is not AlertState.RESOLVED

    @property
    def flapping(self) -> bool:
        return len(self.openings) >= ALERT_FLAP_OPENINGS


class Alert(BaseModel, frozen=True, extra="forbid"):
    """An alert as it is shown.

    `first_at` is when it was first found, `opened_at` when it last opened, `last_at` when a check
    last found it. `seen` counts those checks. `silenced`: nobody is told of it now.
    """

    id: str
    rule: str
    scope: str
    level: AlertLevel
    state: AlertState
    fact: str
    hint: str = ""
    value: float | None = None
    first_at: AwareDatetime
    opened_at: AwareDatetime
    last_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    seen: int = 1
    flapping: bool = False
    silenced: bool = False
    by: str = ""
    note: str = ""

    @classmethod
    def of(cls, kept: Kept, silenced: bool = False) -> Alert:
        return cls(
            id=kept.id,
            rule=kept.rule,
            scope=kept.scope,
            level=kept.level,
            state=kept.state,
            fact=kept.fact,
            hint=kept.hint,
            value=kept.value,
            first_at=to_datetime(kept.first_ms),
            opened_at=to_datetime(kept.openings[-1]),
            last_at=to_datetime(kept.last_ms),
            ended_at=None if kept.ended_ms is None else to_datetime(kept.ended_ms),
            seen=kept.seen,
            flapping=kept.flapping,
            silenced=silenced,
            by=kept.by,
            note=kept.note,
        )


class Silence(BaseModel, frozen=True, extra="forbid"):
    """Alerts of which nobody is told until a time. They are found, kept and shown all the same.

    `pattern` is a rule (`health.backup`), or a rule and a scope with a colon between
    (`agent.memory:agent ada`); `*` stands for any text.
    """

    id: str
    pattern: str
    until: AwareDatetime
    by: str = ""
    why: str = ""

    def covers(self, rule: str, scope: str) -> bool:
        return matches(self.pattern, rule, scope)


def shortened(text: str) -> str:
    """A fact, a hint or a note within its bound, and such that it can be kept: a terminal or a file
    system may have given bytes that are no text."""
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= ALERT_CHARS_MAX else text[: ALERT_CHARS_MAX - 1] + CUT


def matches(pattern: str, rule: str, scope: str) -> bool:
    """Whether a silence of this pattern is about that alert. Case counts; only `*` is special."""
    wanted, colon, place = pattern.partition(":")
    return _fits(wanted, rule) and (not colon or _fits(place, scope))


def _fits(pattern: str, text: str) -> bool:
    """Greedy from the left: linear, whatever the pattern."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    if not text.startswith(first):
        return False
    *middle, last = rest
    at = len(first)
    for part in middle:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - at >= len(last) and text.endswith(last)
