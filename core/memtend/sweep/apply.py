"""Carry out a cleared sweep in slices, each a short transaction under the lease's fence.

Order within a slice: 1 check the fence, 2 read what is still there and still expired, 3 log and
delete it, 4 commit. A crash between slices leaves too much; running again drops the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.model.plan import Report
from memtend.slices import Slices
from memtend.store.expiry import drop_expired, forget_operations
from memtend.store.messages_upkeep import purge

if TYPE_CHECKING:
    from memtend.guard import Cleared
    from memtend.store.store import Store


def apply_sweep(cleared: Cleared, store: Store) -> Report:
    """Delete what the plan names. Safe to repeat: a row already gone is only counted."""
    seqs = [decision.seq for decision in cleared.plan.to_delete()]
    clock = store.clock
    began = clock.monotonic_ns()
    slices, deleted, freed = Slices(clock), 0, 0
    for part in slices.of(seqs):
        dropped = slices.timed(drop_expired, store, part, actor="sweep", lease=cleared.lease)
        deleted += dropped.rows
        freed += dropped.bytes
    forget_operations(store)
    purge(store)
    return Report(
        operation="sweep",
        applied=True,
        planned=len(seqs),
        deleted=deleted,
        changed_since=len(seqs) - deleted,
        bytes_freed=freed,
        slices=slices.count,
        longest_lock_ms=slices.longest_ms,
        seconds=(clock.monotonic_ns() - began) / 1e9,
    )
