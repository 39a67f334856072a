"""Health: read the figures of a store and its backups, and judge them."""

from __future__ import annotations

from memtend.health.report import HealthReport
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened, target_address


@memory_task
def check_health(store: str, target: str) -> HealthReport:
    """Look at the store and at the age of its backups. Changes nothing."""
    with opened(store) as services:
        return services.health(target_address(target).url)
