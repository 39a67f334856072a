"""Who is to be told what. Pure.

Each channel is told by itself: one that cannot be reached is told next time, and holds up none of
the others. What is marked is what was told, never what should have been: a crash between the two
tells twice, and loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from memtend.limits_upkeep import ALERT_CHANNELS_MAX, ALERT_TELLING_MS
from memtend.model.alert import Alert, AlertState, Kept, Silence, Told
from memtend.model.alertpolicy import AlertPolicy


class Why(StrEnum):
    OPENED = "opened"
    RAISED = "raised"
    REMINDER = "still open"
    RESOLVED = "resolved"


class Notice(NamedTuple):
    alert: Alert
    why: Why


class Teller(Protocol):
    """A way to somebody. `channel` tells it apart from others and is kept; `name` is shown. Neither
    holds a secret."""

    @property
    def name(self) -> str: ...
    @property
    def channel(self) -> str: ...
    def tell(self, store: str, notices: Sequence[Notice]) -> str | None:
        """None when they were told, else why not. Raises nothing; whatever it raises all the same
        counts as not told."""


def due(one: Kept, channel: str, policy: AlertPolicy, silenced: bool, now_ms: int) -> Why | None:
    """Why this channel is to be told of this alert now, if it is."""
    told = _of(one, channel)
    busy = told.trying_ms and 0 <= now_ms - told.trying_ms < ALERT_TELLING_MS
    if busy or silenced:  # somebody else is at it, or nobody is to be
        return None
    if not one.stands:
        # Also what ended before anybody could be told that it had begun, or may have been.
        known = told.at_ms or told.tries or told.trying_ms
        return Why.RESOLVED if known and not told.ended else None
    if one.state is AlertState.ACKNOWLEDGED or one.level.rank < policy.tell_from.rank:
        return None
    return _why(one, told, policy, now_ms)


def _why(one: Kept, told: Told, policy: AlertPolicy, now_ms: int) -> Why | None:
    if not told.at_ms or told.ended:
        return Why.OPENED
    if one.level.rank > told.level.rank:
        return Why.RAISED
    # Either way: what a clock that was far ahead has told is no reason to wait for that day.
    late = policy.remind_ms is not None and abs(now_ms - told.at_ms) >= policy.remind_ms
    return Why.REMINDER if late else None


def begun(one: Kept, channel: str, now_ms: int) -> Kept:
    """Somebody begins to tell it."""
    return _with(one, channel, _of(one, channel)._replace(trying_ms=now_ms))


def told(one: Kept, channel: str, notice: Notice, now_ms: int) -> Kept:
    """It was told: as it was then, which may not be as it is now."""
    ended = notice.why is Why.RESOLVED
    return _with(one, channel, Told(now_ms, notice.alert.level, ended, 0, 0))


def failed(one: Kept, channel: str) -> Kept:
    before = _of(one, channel)
    return _with(one, channel, before._replace(tries=before.tries + 1, trying_ms=0))


def silenced(one: Kept, silences: Iterable[Silence]) -> bool:
    return any(silence.covers(one.rule, one.scope) for silence in silences)


def _of(one: Kept, channel: str) -> Told:
    return one.told.get(channel, Told())


def _with(one: Kept, channel: str, mark: Told) -> Kept:
    """The channels that were told last are remembered: addresses come and go."""
    marks: Mapping[str, Told] = {**one.told, channel: mark}
    newest = sorted(marks, key=lambda name: (name == channel, marks[name].at_ms))
    return one._replace(told={name: marks[name] for name in newest[-ALERT_CHANNELS_MAX:]})
