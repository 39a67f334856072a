"""Rotation: decide which backups stay, look at the plan, let the others go."""

from __future__ import annotations

from memtend.backup.rotation_plan import RotationPlan, RotationReport
from memtend.model.plan import PlanRef
from memtend.model.retention import Retention
from memtend.plans import load_plan
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened
from memtend_tasks.plans import kept


@memory_task
def make_rotation_plan(store: str, target: str, retention: Retention | None) -> PlanRef:
    """Decide about every backup in the target, each with its reasons; None is the policy's rule."""
    with opened(store, target) as services:
        return kept(services, services.plan_rotation(retention=retention))


@memory_task
def apply_rotation_plan(store: str, target: str, ref: PlanRef) -> RotationReport:
    """Drop what the plan names, and reclaim what nothing needs any more."""
    with opened(store, target) as services:
        return services.apply_rotation(load_plan(ref, services.clock, RotationPlan))
