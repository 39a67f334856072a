"""Drill: prove that the newest backup can be restored."""

from __future__ import annotations

from memtend.backup.drill_report import DrillReport
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened


@memory_task
def drill_backup(store: str, target: str) -> DrillReport:
    """Restore the newest backup into a scratch file and look at it from every side."""
    with opened(store, target) as services:
        return services.drill()
