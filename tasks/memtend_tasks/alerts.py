"""Alerts: look at a store, tell people, and tell the automations of Prefect what has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from memtend.alerting.report import AlertReport
from memtend.alerting.telling import Notice, Why
from memtend.alerting.wording import harmless
from memtend.health.report import HealthReport
from memtend.model.alert import Alert
from memtend_tasks.address import Address
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened, store_address, target_address
from memtend_tasks.publish import (
    ALERT_LOWERED,
    ALERT_OPENED,
    ALERT_RAISED,
    ALERT_REMINDED,
    ALERT_RESOLVED,
    announce,
)

_EVENTS: Final = {
    Why.OPENED: ALERT_OPENED,
    Why.RAISED: ALERT_RAISED,
    Why.REMINDER: ALERT_REMINDED,
    Why.RESOLVED: ALERT_RESOLVED,
}
_FACTS: Final = ("rule", "scope", "fact", "hint")


class Events:
    """Prefect as somebody who is told: an event for each alert, as often as people hear of it."""

    name = channel = "prefect"

    def __init__(self, address: Address) -> None:
        self._address = address

    def tell(self, store: str, notices: Sequence[Notice]) -> str | None:
        for notice in notices:
            one = notice.alert
            announce(_EVENTS[notice.why], self._address, payload(one), one.level.value)
        return None


@memory_task
def check_alerts(store: str, target: str, health: HealthReport | None = None) -> AlertReport:
    """Open, raise, lower and end alerts, and tell whom the settings name. Each goes out as an
    event, too, such as `memtend.alert.opened`."""
    address = store_address(store)
    with opened(store, target) as services:
        report = services.check_alerts(target_address(target).url, health, also=(Events(address),))
    for alert in report.lowered:
        announce(ALERT_LOWERED, address, payload(alert), alert.level.value)
    return report


def payload(alert: Alert) -> dict[str, object]:
    """What templates of automations may use. Names of agents stay text in whatever chat."""
    plain = alert.model_dump(mode="json", include={"id", "level", "state", "value"})
    return plain | {name: harmless(getattr(alert, name)) for name in _FACTS}
