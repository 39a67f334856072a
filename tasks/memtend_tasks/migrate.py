"""Migration: the schema of a store, then its values, to what this program writes itself."""

from __future__ import annotations

from memtend.clock import SystemClock
from memtend.migrate.plan import MigrationPlan
from memtend.migrate.report import MigrationReport, Pending, Rehearsal
from memtend.model.plan import PlanRef
from memtend.model.upgrade import SchemaPlan, SchemaReport
from memtend.plans import load_plan
from memtend.serving.upgrading import apply_schema, plan_schema, schema_state
from memtend.settings import Settings
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened, store_address
from memtend_tasks.parts import Cut, begun, shards_max
from memtend_tasks.plans import kept


@memory_task
def make_schema_plan(store: str) -> SchemaPlan | None:
    """What would become of the schema; None where nothing is pending. Nothing is written."""
    url = store_address(store).url
    state = schema_state(url)
    if not (state.pending or state.newer):
        return None
    return plan_schema(url, Settings(), SystemClock())


@memory_task
def apply_schema_plan(store: str, plan: SchemaPlan) -> SchemaReport:
    """Rehearse on a copy, keep the store as it is, migrate in one transaction, verify."""
    return apply_schema(plan, Settings(), SystemClock(), url=store_address(store).url)


@memory_task
def make_migration_plan(store: str, to: str) -> PlanRef:
    """Cast every older value, and keep only what that says."""
    with opened(store) as services:
        return kept(services, services.plan_migration(to=to or None))


@memory_task
def begin_migration_plan(store: str, to: str, workers: int) -> Cut:
    """Cut the change sequence of the store into stretches."""
    with opened(store) as services:
        shards = shards_max(services, workers)
        return begun(
            services, "migrate", services.begin_migration(to=to or None, shards_max=shards)
        )


@memory_task
def rehearse_migration_plan(store: str, target: str, ref: PlanRef) -> Rehearsal:
    """Back up, restore that backup into a scratch copy, migrate the copy, look at every row."""
    with opened(store, target) as services:
        return services.rehearse_migration(load_plan(ref, services.clock, MigrationPlan))


@memory_task
def apply_migration_plan(store: str, target: str, ref: PlanRef) -> MigrationReport:
    """Batch by batch; refused unless exactly this plan was rehearsed. Repeatable."""
    with opened(store, target) as services:
        return services.apply_migration(load_plan(ref, services.clock, MigrationPlan))


@memory_task
def pending_migrations(store: str) -> Pending:
    """Values of older versions. Costs what changed since it was last asked."""
    with opened(store) as services:
        return services.pending_migrations()
