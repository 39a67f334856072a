"""What the guard has refused is an alert, so that a plan refused at night is heard of.

It is written down here, and told by the next check of the alerts, if it still stands then: who was
refused at a terminal has read why, and may have approved since. Neither ever takes the place of the
error itself.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from memtend.errors import ClockAlarmed, DeletesTooMuch, MemtendError, PruneUnapproved
from memtend.limits_upkeep import ALERT_LAPSE_MS
from memtend.model.alert import STORE_SCOPE, AlertLevel

if TYPE_CHECKING:
    from memtend.model.alertpolicy import AlertPolicy
    from memtend.store.store import Store

REFUSALS: Final = (ClockAlarmed, DeletesTooMuch, PruneUnapproved)


def note_refusal(store: Store, what: str, error: MemtendError, policy: AlertPolicy) -> None:
    """Open the alert `WHAT.refused`."""
    from memtend.alerting.apply import write_down  # noqa: PLC0415
    from memtend.alerting.finding import Finding, Look  # noqa: PLC0415

    level = AlertLevel.WARNING if isinstance(error, PruneUnapproved) else AlertLevel.ERROR
    found = Finding(
        _rule(what), STORE_SCOPE, level, str(error), error.hint, lapses_ms=ALERT_LAPSE_MS
    )
    with suppress(MemtendError):
        write_down(store, lambda _: Look((found,)), policy)


def note_done(store: Store, what: str) -> None:
    """It was carried out: the alert ends. Where none stands, nothing is written."""
    from memtend.alerting.apply import end  # noqa: PLC0415

    with suppress(MemtendError):
        if store.engine.read("alert_stands", (_rule(what),)):
            end(store, _rule(what), STORE_SCOPE)


def _rule(what: str) -> str:
    return f"{what}.refused"
