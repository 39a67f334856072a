"""A plan that several processes make: a task for each shard of the store, and one that joins them.

The plan is the one that a single process would have made, byte by byte, so whatever follows, from
its digest to what the guard says of it, is the same.
"""

from __future__ import annotations

from memtend.model.plan import PlanRef
from memtend_flows.wide import wide
from memtend_tasks.parts import Cut, join_plan, look_at_shard


def plan_together(store: str, cut: Cut, workers: int) -> PlanRef:
    """Nobody is started for what is too small to be shared."""
    with wide(workers if cut.shards > 1 else 0) as crew:
        calls = [{"store": store, "cut": cut, "shard": number} for number in range(cut.shards)]
        parts = crew.map(look_at_shard, calls)
    return join_plan(store, cut, parts)
