"""A plan that several processes make: a task for each shard of the store, and one that joins them.

The plan is the one that a single process would have made, byte by byte, so whatever follows, from
its digest to what the guard says of it, is the same.
"""

from __future__ import annotations

from memtend.errors import MemtendError
from memtend.model.plan import PlanRef
from memtend.plans import PartRef
from memtend_flows.wide import sound, wide
from memtend_tasks.parts import Cut, drop, join_plan, look_at_shard


def plan_together(store: str, cut: Cut, workers: int) -> PlanRef:
    """Nobody is started for what is too small to be shared. Of a plan that one shard cannot be
    looked at for, nothing is left."""
    calls = [{"store": store, "cut": cut, "shard": number} for number in range(cut.shards)]
    ended: list[PartRef | MemtendError] = []
    try:
        with wide(workers if cut.shards > 1 else 0) as crew:
            ended = crew.submit(look_at_shard, calls).ended()
        return join_plan(store, cut, sound(ended))
    finally:
        drop(cut, [one for one in ended if isinstance(one, PartRef)])
