"""Alerts: look at a store, tell people, and tell the automations of Prefect what has changed."""

from __future__ import annotations

from memtend.alerting.report import AlertReport
from memtend.health.report import HealthReport
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened, store_address, target_address
from memtend_tasks.publish import announce

CHANGES = ("opened", "raised", "lowered", "resolved")


@memory_task
def check_alerts(store: str, target: str, health: HealthReport | None = None) -> AlertReport:
    """Open, raise, lower and end alerts. Each change goes out as an event, such as
    `memtend.alert.opened`."""
    with opened(store, target) as services:
        report = services.check_alerts(target_address(target).url, health)
    address = store_address(store)
    for change in CHANGES:
        for alert in getattr(report, change):
            facts = {"id", "rule", "scope", "level", "state", "fact", "hint", "value"}
            payload = alert.model_dump(mode="json", include=facts)
            announce(f"memtend.alert.{change}", address, payload)
    return report
