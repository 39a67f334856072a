"""Health: read the figures of a store and its backups, judge them, and keep them."""

from __future__ import annotations

from memtend.health.report import HealthReport
from memtend.metrics.figure import Figure
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened, target_address


@memory_task
def check_health(store: str, target: str) -> HealthReport:
    """Look at the store and at its backups. Costs about the same for a store of any size."""
    with opened(store, target) as services:
        return services.health(target_address(target).url)


@memory_task
def record_figures(store: str, target: str, health: HealthReport) -> list[Figure]:
    """Keep the figures of now, with the score, in the store's history; what they are."""
    with opened(store, target) as services:
        services.record_figures(health)
        return list(services.figures(target_address(target).url))
