"""Archive: what is cold moves out, and comes back when it is asked for."""

from __future__ import annotations

from memtend.archive.plan import ArchivePlan
from memtend.archive.report import ArchiveReport
from memtend.model.plan import Plan, PlanRef
from memtend.plans import load_plan
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened
from memtend_tasks.parts import Cut, begun, shards_max
from memtend_tasks.plans import kept


@memory_task
def make_archive_plan(store: str, archive_target: str) -> PlanRef:
    """Decide by the policy's rules what is cold."""
    with opened(store, archive=archive_target) as services:
        return kept(services, services.plan_archive())


@memory_task
def begin_archive_plan(store: str, archive_target: str, workers: int) -> Cut:
    """Read what the whole store is like, and cut it into shards."""
    with opened(store, archive=archive_target) as services:
        shards = shards_max(services, workers)
        return begun(services, "archive", services.begin_archive(shards_max=shards))


@memory_task
def apply_archive_plan(
    store: str, archive_target: str, ref: PlanRef, threads: int = 1
) -> ArchiveReport:
    """Write the values into the archive, read them back, and only then free the rows."""
    with opened(store, archive=archive_target) as services:
        plan = load_plan(ref, services.clock, ArchivePlan)
        return services.apply_archive(plan, threads=threads)


@memory_task
def make_recall_plan(store: str, archive_target: str, pattern: str, run: int | None) -> PlanRef:
    """Find what is to come back: what matches a pattern, or all that one run archived."""
    with opened(store, archive=archive_target) as services:
        plan = services.plan_recall(pattern) if run is None else services.plan_recall(run=run)
        return kept(services, plan)


@memory_task
def apply_recall_plan(store: str, archive_target: str, ref: PlanRef) -> ArchiveReport:
    """Put the values back. The archive keeps its copies."""
    with opened(store, archive=archive_target) as services:
        return services.apply_recall(load_plan(ref, services.clock, Plan))
