"""Optimize: find which steps are worth it, look at them, do them."""

from __future__ import annotations

from memtend.model.plan import PlanRef
from memtend.optimize.plan import OptimizePlan
from memtend.optimize.report import OptimizeReport
from memtend.plans import load_plan
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened
from memtend_tasks.plans import kept


@memory_task
def make_optimize_plan(store: str, step: str | None) -> PlanRef:
    """Judge every step of the routine, or one, by figures and samples."""
    with opened(store) as services:
        return kept(services, services.plan_optimize(None if step is None else (step,)))


@memory_task
def apply_optimize_plan(store: str, ref: PlanRef) -> OptimizeReport:
    """Do the steps that are worth it, in slices that let writers in between."""
    with opened(store) as services:
        return services.apply_optimize(load_plan(ref, services.clock, OptimizePlan))
