"""Carry out a cleared sweep in slices, each a short transaction under the lease's fence.

Order within a slice: 1 check the fence, 2 read what is still there and still expired, 3 log and
delete it, 4 commit. A crash between slices leaves too much; running again drops the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.limits import LOCK_BUDGET_MS, SLICE_ROWS_MAX, SLICE_ROWS_MIN
from memtend.model.plan import Report
from memtend.store.expiry import drop_expired, forget_operations
from memtend.store.messages_upkeep import purge

if TYPE_CHECKING:
    from memtend.guard import Cleared
    from memtend.store.store import Store


def apply_sweep(cleared: Cleared, store: Store) -> Report:
    """Delete what the plan names. Safe to repeat: a row already gone is only counted.

    Each slice aims at a quarter of `LOCK_BUDGET_MS`, so that one that meets a checkpoint stays
    within it: the next slice grows or shrinks with what the last one took.
    """
    seqs = [decision.seq for decision in cleared.plan.to_delete()]
    clock = store.clock
    began = clock.monotonic_ns()
    size, at, deleted, freed, slices, longest = SLICE_ROWS_MIN, 0, 0, 0, 0, 0.0
    while at < len(seqs):
        started = clock.monotonic_ns()
        dropped = drop_expired(store, seqs[at : at + size], actor="sweep", lease=cleared.lease)
        took_ms = (clock.monotonic_ns() - started) / 1e6
        at += size
        slices += 1
        deleted += dropped.rows
        freed += dropped.bytes
        longest = max(longest, took_ms)
        size = _next_size(size, took_ms)
    forget_operations(store)
    purge(store)
    return Report(
        operation="sweep",
        applied=True,
        planned=len(seqs),
        deleted=deleted,
        changed_since=len(seqs) - deleted,
        bytes_freed=freed,
        slices=slices,
        longest_lock_ms=longest,
        seconds=(clock.monotonic_ns() - began) / 1e9,
    )


def _next_size(size: int, took_ms: float) -> int:
    wanted = size * LOCK_BUDGET_MS / 4 / max(took_ms, 0.1)
    return max(SLICE_ROWS_MIN, min(SLICE_ROWS_MAX, int(min(wanted, size * 2))))
