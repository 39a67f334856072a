"""Bootstrap: a store that was left behind when everybody was rolled back takes the others' state.

    1. what it wrote and the others never saw goes into a file, which is read back
    2. the others' state and epoch take the place of its own, in one transaction

The file comes first: cut off between the two, the writes are in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from memtend.errors import EpochMismatch, MemtendError, ObjectDamaged, ObjectMissing
from memtend.store.rejoining import bootstrap, unsent
from memtend.store.sync import outgoing
from memtend.sync.saving import Saved, save_unsent

if TYPE_CHECKING:
    from memtend.store.store import Store
    from memtend.sync.place import Place


def join_store(mine: Store, theirs: Store, file: Path, *, actor: str) -> Saved:
    """Take the state of a store of a later epoch."""
    with outgoing(theirs, {}, full=True) as out:
        saved = _save(mine, out.head.vv, out.head.epoch, file)
        bootstrap(mine, out.pages(), actor=actor)
    return saved


def join_place(mine: Store, place: Place, file: Path, *, actor: str) -> Saved:
    """Take the newest full state of the latest epoch in a place; a pull brings what came since."""
    found = [place.newest(names).head for names in place.names().values()]
    heads = [head for head in found if head and any(d.full for d in head.deltas)]
    latest = max((head.epoch for head in heads), default=0)
    candidates = sorted(
        (head for head in heads if head.epoch == latest > mine.meta().epoch),
        key=lambda head: head.sent_ms, reverse=True,
    )  # fmt: skip
    refused: MemtendError = EpochMismatch(sender=place.url, theirs=latest, ours=mine.meta().epoch)
    for head in candidates:
        base = next(delta for delta in reversed(head.deltas) if delta.full)
        try:
            for _ in place.pages(head.replica, base.pages):
                continue  # a base that cannot be read whole is not even begun
        except (ObjectDamaged, ObjectMissing) as error:
            refused = error
            continue
        saved = _save(mine, base.vv, head.epoch, file)
        bootstrap(mine, place.pages(head.replica, base.pages), actor=actor)
        return saved
    raise refused


def _save(mine: Store, vv: Mapping[str, int], epoch: int, file: Path) -> Saved:
    meta = mine.meta()
    whose = {
        "store": meta.store_id, "replica": mine.own_replica(), "epoch": meta.epoch,
        "to_epoch": epoch, "at_ms": mine.clock.now_ms(),
    }  # fmt: skip
    return save_unsent(file, whose, unsent(mine, vv))
