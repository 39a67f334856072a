"""Plans made in parts: one task for each shard, wherever it runs, and one that joins them.

Frame and parts lie beside the plans, and what travels is a reference: of a large store a part has
hundreds of thousands of decisions. Whoever joins them drops them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

from pydantic import BaseModel

from memtend.archive.plan import ArchiveFrame, ArchivePart
from memtend.limits_upkeep import SHARD_ROWS_MIN, SHARDS_A_WORKER
from memtend.migrate.parts import MigrationFrame, MigrationPart
from memtend.model.frame import Frame, Part
from memtend.model.plan import Plan, PlanRef
from memtend.plans import PartRef, drop_parts, load_part, save_part
from memtend.prune.parts import PruneFrame, PrunePart
from memtend.services import Services
from memtend_tasks.decorator import memory_task
from memtend_tasks.errors import WorkersUnusable
from memtend_tasks.opened import opened
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
        ref = kept(services, _join(services, cut, parts))
        drop_parts((cut.frame, *parts), services.clock)
        return ref


def _look(services: Services, cut: Cut, shard: int) -> Part:
    clock, store_id = services.clock, services.facts().store_id
    if cut.operation == "archive":
        frame = _checked(load_part(cut.frame, clock, ArchiveFrame), store_id)
        return services.look_archive(frame, shard)
    if cut.operation == "migrate":
        aged = _checked(load_part(cut.frame, clock, MigrationFrame), store_id)
        return services.look_migration(aged, shard)
    return services.look_prune(_checked(load_part(cut.frame, clock, PruneFrame), store_id), shard)


def _checked(frame: F, store_id: str) -> F:
    """What a name stands for is what the settings of a worker's own machine say."""
    if frame.facts.store_id != store_id:
        raise WorkersUnusable(why="a worker knows another store by this name")
    return frame


def _join(services: Services, cut: Cut, refs: Sequence[PartRef]) -> Plan:
    clock = services.clock
    if cut.operation == "archive":
        cold = (load_part(ref, clock, ArchivePart) for ref in refs)
        return services.join_archive(load_part(cut.frame, clock, ArchiveFrame), cold)
    if cut.operation == "migrate":
        aged = (load_part(ref, clock, MigrationPart) for ref in refs)
        return services.join_migration(load_part(cut.frame, clock, MigrationFrame), aged)
    found = (load_part(ref, clock, PrunePart) for ref in refs)
    return services.join_prune(load_part(cut.frame, clock, PruneFrame), found)
