"""Plans between tasks: kept where they can be reviewed, and passed on as a reference."""

from __future__ import annotations

from memtend.archive.plan import ArchivePlan
from memtend.backup.restore_plan import RestorePlan
from memtend.backup.rotation_plan import RotationPlan
from memtend.clock import SystemClock
from memtend.guard import refuse_foreign
from memtend.learn.tuning.plan import TtlPlan
from memtend.migrate.importing import ImportPlan
from memtend.migrate.plan import MigrationPlan
from memtend.model.plan import Plan, PlanRef
from memtend.optimize.plan import OptimizePlan
from memtend.plans import load_plan, save_plan
from memtend.prune.plan import PrunePlan
from memtend.services import Services
from memtend.settings import Settings
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened

KINDS: dict[str, type[Plan]] = {
    "archive": ArchivePlan,
    "import": ImportPlan,
    "migrate": MigrationPlan,
    "optimize": OptimizePlan,
    "prune": PrunePlan,
    "recall": Plan,
    "restore": RestorePlan,
    "rotate": RotationPlan,
    "sweep": Plan,
    "ttl": TtlPlan,
}


def kept(services: Services, plan: Plan) -> PlanRef:
    """Keep a plan; what comes back pins it."""
    return save_plan(plan, services.settings.plans_url, services.clock)


def read_plan(ref: PlanRef) -> Plan:
    """The plan that `ref` pins; raises `PlanMissing` or `PlanAltered`."""
    return load_plan(ref, SystemClock(), KINDS[ref.operation])


@memory_task
def find_plan(store: str, operation: str, reviewed: str) -> PlanRef:
    """The plan that somebody has looked at, by its digest.

    That of another store is refused here: in a dry run nobody else would say so.
    """
    ref = PlanRef(url=Settings().plans_url, sha256=reviewed, operation=operation, decisions=0)
    plan = read_plan(ref)
    with opened(store) as services:
        refuse_foreign(plan, services.facts())
    return ref.model_copy(update={"decisions": len(plan.decisions)})
