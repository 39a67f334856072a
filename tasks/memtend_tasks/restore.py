"""Restore: find the state asked for, look at the plan, put it in the place of the live one."""

from __future__ import annotations

from datetime import datetime

from memtend.backup.restore import RestoreReport
from memtend.backup.restore_plan import Mode, RestorePlan, Scope
from memtend.model.plan import PlanRef
from memtend.plans import load_plan
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened
from memtend_tasks.plans import kept


@memory_task
def make_restore_plan(
    store: str, target: str, to: datetime | None, manifest: str, scope: Scope, mode: Mode | None
) -> PlanRef:
    """Compare the state asked for with the live store. Reads and checks all of the backup."""
    with opened(store, target) as services:
        plan = services.plan_restore(to=to, manifest=manifest or None, scope=scope, mode=mode)
        return kept(services, plan)


@memory_task
def apply_restore_plan(store: str, target: str, ref: PlanRef) -> RestoreReport:
    """Build the state beside, verify it, and only then swap. The old store is kept for a time."""
    with opened(store, target) as services:
        return services.apply_restore(load_plan(ref, services.clock, RestorePlan))
