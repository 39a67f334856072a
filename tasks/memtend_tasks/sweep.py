"""Sweep: plan, look at the plan, apply it. The plan travels as a reference with its digest."""

from __future__ import annotations

from memtend.model.plan import Plan, PlanRef, Report
from memtend.plans import load_plan, save_plan
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened


@memory_task
def make_sweep_plan(store: str) -> PlanRef:
    """Decide what has outlived its TTL and keep the decision where it can be reviewed."""
    with opened(store) as services:
        return save_plan(services.plan_sweep(), services.settings.plans_url, services.clock)


@memory_task
def apply_sweep_plan(store: str, ref: PlanRef) -> Report:
    """Delete what the plan names. Rows changed since are skipped and counted."""
    with opened(store) as services:
        return services.apply_sweep(load_plan(ref, services.clock, Plan))
