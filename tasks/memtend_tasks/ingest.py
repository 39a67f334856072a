"""Import: look at older memory, and bring in what the plan takes."""

from __future__ import annotations

from pathlib import Path

from memtend.migrate.importing import ImportPlan, ImportReport
from memtend.model.plan import PlanRef
from memtend.plans import load_plan
from memtend.settings import Settings
from memtend_tasks.address import DEFAULT
from memtend_tasks.decorator import memory_task
from memtend_tasks.errors import SourceMissing
from memtend_tasks.opened import opened
from memtend_tasks.plans import kept


def source_path(source: str) -> str:
    """The path that `source` stands for, the same from every folder."""
    path = Settings().import_source if source == DEFAULT else source
    if not path:
        raise SourceMissing(why="MEMTEND_IMPORT_SOURCE is not set, and the form names none")
    return str(Path(path).absolute())


@memory_task
def make_import_plan(
    store: str, source: str, kind: str | None, zone: str, allow_pickle: bool
) -> PlanRef:
    """Read the whole source, and decide of each item. Nothing is written, there or here."""
    path = source_path(source)
    with opened(store) as services:
        return kept(services, services.plan_import(path, kind, zone, allow_pickle=allow_pickle))


@memory_task
def apply_import_plan(store: str, source: str, ref: PlanRef) -> ImportReport:
    """Write what the plan takes. What has changed in the source since is left out and counted."""
    with opened(store) as services:
        plan = load_plan(ref, services.clock, ImportPlan)
        if plan.source != source_path(source):
            raise SourceMissing(why=f"the plan is that of {plan.source}")
        return services.apply_import(plan)
