"""Plans made in parts: one task for each shard, wherever it runs, and one that joins them.

Frame and parts lie beside the plans, and what travels is a reference: of a large store a part has
hundreds of thousands of decisions. Whoever began them drops them, whatever became of the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

from pydantic import BaseModel

from memtend.archive.plan import ArchiveFrame, ArchivePart
from memtend.clock import SystemClock
from memtend.limits_upkeep import SHARD_ROWS_MIN, SHARDS_A_WORKER
from memtend.migrate.parts import MigrationFrame, MigrationPart
from memtend.model.frame import Frame, Part
from memtend.model.plan import Plan, PlanRef
from memtend.plans import PartRef, drop_parts, load_part, save_part
from memtend.prune.parts import PruneFrame, PrunePart
from memtend.services import Services
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import check_store, opened
from memtend_tasks.place import absolute
from memtend_tasks.plans import kept

F = TypeVar("F", bound=Frame)
Operation = Literal["archive", "migrate", "prune"]


class Cut(BaseModel, frozen=True, extra="forbid"):
    """What is to be planned, and into how many shards the store is cut for it."""

    operation: Operation
    frame: PartRef
    shards: int


def shards_max(services: Services, workers: int) -> int:
    """So many that nobody waits long for whoever has the largest, and each is worth a task."""
    return max(1, min(workers * SHARDS_A_WORKER, services.facts().records // SHARD_ROWS_MIN))


def begun(
    services: Services, operation: Operation, frame: ArchiveFrame | MigrationFrame | PruneFrame
) -> Cut:
    """Keep the frame where those who look find it, and leave their parts."""
    ref = save_part(frame, operation, absolute(services.settings.plans_url), services.clock)
    return Cut(operation=operation, frame=ref, shards=len(frame.shards))


@memory_task
def look_at_shard(store: str, cut: Cut, shard: int) -> PartRef:
    """Decide on the records of one shard."""
    with opened(store) as services:
        return save_part(_look(services, cut, shard), cut.operation, cut.frame.url, services.clock)


@memory_task
def join_plan(store: str, cut: Cut, parts: Sequence[PartRef]) -> PlanRef:
    """Make one plan of all parts: the one that a single process would have made."""
    with opened(store) as services:
        return kept(services, _join(services, cut, parts))


def drop(cut: Cut, parts: Sequence[PartRef]) -> None:
    """What is left of a plan that is made, or will not be."""
    drop_parts((cut.frame, *parts), SystemClock())


def _look(services: Services, cut: Cut, shard: int) -> Part:
    if cut.operation == "archive":
        return services.look_archive(_frame(services, cut, ArchiveFrame), shard)
    if cut.operation == "migrate":
        return services.look_migration(_frame(services, cut, MigrationFrame), shard)
    return services.look_prune(_frame(services, cut, PruneFrame), shard)


def _join(services: Services, cut: Cut, refs: Sequence[PartRef]) -> Plan:
    clock = services.clock
    if cut.operation == "archive":
        cold = (load_part(ref, clock, ArchivePart) for ref in refs)
        return services.join_archive(_frame(services, cut, ArchiveFrame), cold)
    if cut.operation == "migrate":
        aged = (load_part(ref, clock, MigrationPart) for ref in refs)
        return services.join_migration(_frame(services, cut, MigrationFrame), aged)
    found = (load_part(ref, clock, PrunePart) for ref in refs)
    return services.join_prune(_frame(services, cut, PruneFrame), found)


def _frame(services: Services, cut: Cut, kind: type[F]) -> F:
    frame = load_part(cut.frame, services.clock, kind)
    check_store(services, frame.facts.store_id)
    return frame
