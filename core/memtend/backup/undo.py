"""Undo of a restore: the store that it replaced comes back, and the present one is kept in turn,
unless nothing was written into it.

The kept store takes the live one's place as it is, page by page, under a new line of history: the
present one's writes may be known elsewhere. Only if something was erased since it was replaced is
it loaded row by row instead, without what the erasure ledger names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from memtend.backup.cleansing import Ledgers
from memtend.backup.restore import ACTOR, RestoreReport, outcome_of
from memtend.clock import to_datetime
from memtend.store.adapting import Deed, look
from memtend.store.beside import beside
from memtend.store.building import Contents, load
from memtend.store.snapshot import snapshot
from memtend.store.store import Store
from memtend.store.swapping import (
    Kept,
    Swapped,
    bring_back,
    newest_kept,
    opened_kept,
    remove_kept,
    swap,
)

if TYPE_CHECKING:
    from memtend.model.lease import Lease

_MODE = "undo"


def undo(
    store: Store, lease: Lease, *, keep_ms: int, beat: Callable[[], None] = lambda: None
) -> RestoreReport:
    """Bring back what the last restore replaced; raises `NothingKept`."""
    clock = store.clock
    began = clock.monotonic_ns()
    kept = newest_kept(store)
    made_at = to_datetime(kept.made_ms).isoformat()
    deed = Deed(ACTOR, {"mode": _MODE, "kept": made_at})
    erased = 0
    if look(store.engine).erasures:
        swapped, erased = _without_erased(store, kept, deed, lease, keep_ms, beat)
    else:
        swapped = bring_back(store, kept, deed, lease=lease, keep_ms=keep_ms)
    outcome, meta = outcome_of(swapped, store), store.meta()
    return RestoreReport(
        url="",
        store=store.url,
        manifest=f"the store that was replaced at {made_at}",
        mode=_MODE,
        rows=meta.rows,
        state_sum=bytes(meta.sum).hex(),
        written=meta.rows,
        erased=erased,
        seconds=(clock.monotonic_ns() - began) / 1e9,
        **outcome,
    )


def _without_erased(
    store: Store, kept: Kept, deed: Deed, lease: Lease, keep_ms: int, beat: Callable[[], None]
) -> tuple[Swapped, int]:
    clock = store.clock
    with snapshot(store) as view:
        ours = list(view.side())
    built = beside(store.engine, clock.new_id())
    try:
        with opened_kept(store, kept) as old, snapshot(old) as view:
            side = list(view.side())
            ledgers = Ledgers([ours, side])
            with built.loading() as tx:
                contents = Contents(
                    ledgers.rows_left(view.rows()), ledgers.log_left(view.log()),
                    ledgers.side(side, view.state.hlc), ledgers.audit(view.audit(), store.key),
                    ledgers.access_left(view.access()), lambda: view.state,
                )  # fmt: skip
                numbers, file_id = look(store.engine).numbers, built.engine.file_id()
                load(tx, contents, numbers, now_ms=clock.now_ms(), file_id=file_id, beat=beat)
        swapped = swap(store, built, deed, lease=lease, keep_ms=keep_ms)
    finally:
        built.discard()
    remove_kept(store.engine, kept)
    return swapped, ledgers.rows
