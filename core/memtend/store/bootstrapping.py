"""Taking another replica's state for one's own, in one step.

The state is built beside the live store and swapped in, as a restore does it: other processes keep
their connections, a new line of history begins, and what was replaced is kept for a while. What is
this store's own stays: policies, grants, its audit trail, the catalog of its backups, what was
erased. The caller holds the maintenance lease: nobody else may build beside the store meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from memtend.codec.envelope import path_of, prefix_of, row_hash
from memtend.crdt.hlc import receive
from memtend.errors import DeltaRefused, EpochMismatch
from memtend.limits import KEEP_OLD_MS
from memtend.model.stored import LogRow, StoredRow, StoreState
from memtend.store.adapting import Deed, look
from memtend.store.beside import beside
from memtend.store.building import Contents, load
from memtend.store.erasing import raise_floor
from memtend.store.ledger import Filter
from memtend.store.snapshot import Snapshot, snapshot
from memtend.store.swapping import last_kept, swap
from memtend.store.sync_in import Received
from memtend.store.sync_rows import arrived, columns_of, valued

if TYPE_CHECKING:
    from memtend.model.delta import DeltaHead, Item
    from memtend.model.lease import Lease
    from memtend.store.store import Store


class Bootstrapped(NamedTuple):
    """What the store is now. `late` counts changes of its own that came while the state was built;
    they are in `kept`, the store that was replaced."""

    sender: str
    replica: str
    epoch: int
    rows: int
    erased: int
    late: int
    kept: str | None


def bootstrap(
    store: Store, pages: Iterable[bytes], *, actor: str, lease: Lease | None = None
) -> Bootstrapped:
    """Raises `DeltaRefused` unless the pages hold a whole state, `EpochMismatch` where it is of an
    earlier epoch than the store, `PeerClock`; the store is then as before."""
    with Received(store.url) as received:
        head = received.fill(pages)
        if not head.full or head.since:
            raise DeltaRefused(why="it is not a whole state")
        built = beside(store.engine, store.clock.new_id())
        try:
            with snapshot(store) as view:  # ended before the swap, which nobody may read through
                source = _Source(store, head, received, view)
                with built.loading() as tx:
                    numbers, now_ms = look(store.engine).numbers, store.clock.now_ms()
                    load(tx, source.contents(), numbers, now_ms=now_ms, file_id="")
            deed = Deed(actor, {"mode": "bootstrap", "from": head.sender, "epoch": head.epoch})
            swapped = swap(store, built, deed, lease=lease, keep_ms=KEEP_OLD_MS)
        finally:
            built.discard()
    late = swapped.before.meta.seq - view.state.seq
    if source.erased:
        # That it is missing here must reach the sender, and nothing may name it (ADR 0014).
        with store.change(actor) as (change, _):
            change.mint()
            raise_floor(change, {})
    kept = last_kept(store)
    name = kept.name if kept else None
    rows = store.meta().rows
    return Bootstrapped(head.sender, swapped.replica, head.epoch, rows, source.erased, late, name)


class _Source:
    """The sender's rows under this store's sequence, and what stays of this store."""

    def __init__(self, store: Store, head: DeltaHead, received: Received, view: Snapshot) -> None:
        ours = view.state
        if head.epoch < ours.epoch:
            raise EpochMismatch(sender=head.sender, theirs=head.epoch, ours=ours.epoch)
        self._hlc = receive(ours.hlc, head.hlc, store.clock.now_ms())
        self._ledger = Filter.load(store.engine)
        self._head, self._received, self._view = head, received, view
        self._seq = ours.seq
        self.erased = 0

    def contents(self) -> Contents:
        view = self._view
        return Contents(
            self._rows(), self._log(), view.side(), view.audit(), view.access(), self._state
        )

    def _rows(self) -> Iterator[StoredRow]:
        for item in self._received.items():
            for told in item.siblings:
                fresh = valued(arrived(told)[1])
                packed = fresh.told.body
                if self._ledger and self._ledger.erased_entry(item.namespace, item.key, packed):
                    self.erased += 1
                    continue
                columns = columns_of(0, item.key, item.field, 0, fresh)
                _, _, _, _, _, exp, flags, _, _, _, content, _, body, value = columns
                self._seq += 1
                prefix, path = prefix_of(item.namespace), path_of(item.key, item.field)
                digest = row_hash(prefix, path, flags, exp, body, value)
                yield StoredRow(*item.path, self._seq, exp, flags, body, value, digest, content)

    def _log(self) -> Iterator[LogRow]:
        for item in self._received.items():
            yield from sorted(self._ends(item))

    def _ends(self, item: Item) -> Iterator[LogRow]:
        if self._ledger and self._ledger.names(item.namespace, item.key).at_hlc >= 0:
            self.erased += bool(item.ended)
            return
        for ended in item.ended:
            yield LogRow(*item.path, *ended.dot, self._seq, ended.at_ms, ended.why)

    def _state(self) -> StoreState:
        return self._view.state._replace(
            replica=self._head.sender,
            epoch=self._head.epoch,
            seq=self._seq,
            hlc=self._hlc,
            vv=dict(self._head.vv),
            floor=dict(self._head.floor),
        )
