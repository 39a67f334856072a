"""A share of the check of every byte in the store."""

from __future__ import annotations

from memtend.model.shard import Shard
from memtend.store.verify_rows import Seen
from memtend.store.verify_together import View
from memtend_tasks.decorator import memory_task
from memtend_tasks.errors import WorkersUnusable
from memtend_tasks.opened import opened


@memory_task
def verify_shard(store: str, view: View, shard: Shard) -> Seen | None:
    """The records of some namespaces, as they were when the run began."""
    with opened(store) as services:
        if services.facts().store_id != view.store_id:
            # "default" is what the settings of a worker's own machine say.
            raise WorkersUnusable(why="a worker knows another store by this name")
        return services.verify_shard(view, shard)
