"""A share of the check of every byte in the store."""

from __future__ import annotations

from memtend.model.shard import Shard
from memtend.store.verify_rows import Seen
from memtend.store.verify_together import View
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import check_store, opened


@memory_task
def verify_shard(store: str, view: View, shard: Shard) -> Seen | None:
    """The records of some namespaces, as they were when the run began."""
    with opened(store) as services:
        check_store(services, view.store_id)
        return services.verify_shard(view, shard)
