"""The first pass: what an import would do to the store as it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from memtend.ingest.batches import Judge, Seen, batches
from memtend.migrate.importing import ImportPlan, Planner
from memtend.migrate.items import Found

if TYPE_CHECKING:
    from memtend.memory import Memory


def plan_import(
    memory: Memory, found: Iterable[Found], seen: Seen = lambda _: None, **facts: Any
) -> ImportPlan:
    """Writes nothing. `facts` are what the plan says about itself (`Planner.plan`)."""
    judge = Judge(memory)
    with Planner() as planner:
        for batch in batches(found):
            for one in batch.aside:
                planner.set_aside(one)
            planner.take(judge.judge(batch.items))
            seen(len(batch.items))
        return planner.plan(**facts)
