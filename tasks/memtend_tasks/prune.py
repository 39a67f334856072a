"""Prune: decide what is not worth its place, look at the plan, let it go with a way back."""

from __future__ import annotations

from memtend.model.plan import PlanRef
from memtend.model.pruned import Excess
from memtend.plans import load_plan
from memtend.prune.plan import PrunePlan
from memtend.prune.report import PruneReport
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened
from memtend_tasks.parts import Cut, begun, shards_max
from memtend_tasks.plans import kept


@memory_task
def make_prune_plan(
    store: str, archive_target: str, strategy: str | None, profile: str | None
) -> PlanRef:
    """Decide by the rules of a profile, or by one strategy of it."""
    with opened(store, archive=archive_target) as services:
        chosen = None if strategy is None else (strategy,)
        return kept(services, services.plan_prune(chosen, profile))


@memory_task
def begin_prune_plan(
    store: str, archive_target: str, strategy: str | None, profile: str | None, workers: int
) -> Cut:
    """Read what the whole store is like, and cut it into shards."""
    only = None if strategy is None else [strategy]
    with opened(store, archive=archive_target) as services:
        shards = shards_max(services, workers)
        return begun(services, "prune", services.begin_prune(only, profile, shards_max=shards))


@memory_task
def find_prune_excess(store: str, ref: PlanRef) -> list[Excess]:
    """The namespaces of which more would go in a day than goes without approval."""
    with opened(store) as services:
        return list(services.prune_excess(load_plan(ref, services.clock, PrunePlan)))


@memory_task
def apply_prune_plan(
    store: str, archive_target: str, ref: PlanRef, approved: bool, threads: int = 1
) -> PruneReport:
    """Archive, read back, and only then delete. Rows changed since are skipped and counted."""
    with opened(store, archive=archive_target) as services:
        plan = load_plan(ref, services.clock, PrunePlan)
        return services.apply_prune(plan, approved=approved, threads=threads)
