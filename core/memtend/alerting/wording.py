"""Alerts as a message for people: one for all that one channel is told at a time.

Facts may hold names that an agent chose. They stay text: without control characters, on one line,
and without the signs by which chats call somebody or make links.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from memtend.alerting.telling import Notice, Why
from memtend.clock import to_datetime
from memtend.limits_upkeep import ALERT_SHOWN_MAX
from memtend.model.alert import Alert, AlertLevel, AlertState

_HARMLESS: Final = str.maketrans("<>@`", "＜＞＠'")  # noqa: RUF001 — alike on purpose


def title(store: str, notices: Sequence[Notice]) -> str:
    """`memtend: 2 alerts, the worst critical (notes.db)`."""
    standing = [notice.alert.level for notice in notices if notice.why is not Why.RESOLVED]
    ended = len(notices) - len(standing)
    said = []
    if standing:
        worst = max(standing, key=lambda level: level.rank)
        alerts = "alert" if len(standing) == 1 else "alerts"
        said.append(f"{len(standing)} {alerts}, the worst {worst.value}")
    if ended:
        said.append(f"{ended} resolved")
    return harmless(f"memtend: {', '.join(said)} ({store})")


def body(notices: Sequence[Notice]) -> str:
    """A paragraph for each, the worst first; beyond a bound they are counted."""
    ordered = sorted(notices, key=lambda notice: (notice.why is Why.RESOLVED, -_rank(notice)))
    parts = [_part(notice) for notice in ordered[:ALERT_SHOWN_MAX]]
    if len(ordered) > ALERT_SHOWN_MAX:
        more = len(ordered) - ALERT_SHOWN_MAX
        parts.append(f"and {more:,} more: memtend alerts list shows all.")
    return "\n\n".join(parts)


def _part(notice: Notice) -> str:
    alert, why = notice.alert, notice.why
    if why is Why.RESOLVED:
        return harmless(f"RESOLVED {alert.rule} ({alert.scope}): was {alert.fact}")
    said = f" {why.value}" if why is not Why.OPENED else ""
    said += ", keeps coming back" if alert.flapping else ""
    head = f"{alert.level.value.upper()}{said}: {alert.rule} ({alert.scope}): {alert.fact}"
    since = f"Since {alert.opened_at:%Y-%m-%d %H:%M}Z; {alert.id[:8]}."
    return "\n".join(harmless(line) for line in (head, alert.hint, since) if line)


def harmless(text: str) -> str:
    """One line of text that steers neither a terminal, a mail nor a chat."""
    return "".join(sign if sign.isprintable() else " " for sign in text).translate(_HARMLESS)


def _rank(notice: Notice) -> int:
    return notice.alert.level.rank


def kind_of(notices: Sequence[Notice]) -> str:
    """The sort of message, in the words of Apprise."""
    levels = [notice.alert.level for notice in notices if notice.why is not Why.RESOLVED]
    if not levels:
        return "success"
    worst = max(levels, key=lambda level: level.rank)
    return {AlertLevel.INFO: "info", AlertLevel.WARNING: "warning"}.get(worst, "failure")


def trial(now_ms: int, alert_id: str) -> Notice:
    """What `memtend alerts test` sends. Nothing of it is kept."""
    at = to_datetime(now_ms)
    alert = Alert(
        id=alert_id,
        rule="test",
        scope="store",
        level=AlertLevel.INFO,
        state=AlertState.OPEN,
        fact="this is a test: alerts of this store come here",
        first_at=at,
        opened_at=at,
        last_at=at,
    )
    return Notice(alert, Why.OPENED)
