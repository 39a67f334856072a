"""Bootstrap: a store takes the state of the others for its own.

For one that was left behind when everybody was rolled back, and for one that was put back to an
older copy of itself and written to since: what it wrote then bears names that others know as
something else.

    1. what it wrote and the others never saw goes into a file, which is read back
    2. the others' state and epoch take the place of its own, in one transaction

The file comes first: cut off between the two, the writes are in both. In the same epoch nobody can
say which writes the others know under the same names, so the file holds the whole store.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memtend.errors import InvalidSettings, MemtendError, ObjectDamaged, ObjectMissing
from memtend.store.rejoining import bootstrap
from memtend.store.sync import outgoing
from memtend.sync.saving import Saved, save_writes

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.store import Store
    from memtend.sync.head import Head
    from memtend.sync.place import Place


class Joined(NamedTuple):
    """`late` changes came while the state was built; they are in the store that was replaced."""

    saved: Saved
    late: int


def join_store(mine: Store, theirs: Store, file: Path, *, actor: str, lease: Lease) -> Joined:
    """Take the state of a store of this epoch or a later one."""
    with outgoing(theirs, {}, full=True) as out:
        saved = _save(mine, out.head.vv, out.head.epoch, file)
        done = bootstrap(mine, out.pages(), actor=actor, lease=lease)
    return Joined(saved, done.late)


def join_place(mine: Store, place: Place, file: Path, *, actor: str, lease: Lease) -> Joined:
    """Take the newest full state of the latest epoch in a place; a pull brings what came since."""
    why = f"{place.url} holds no whole state of another replica, of this epoch or a later one"
    refused: MemtendError = InvalidSettings(name="peer", why=why)
    for head in _candidates(mine, place):
        base = next(delta for delta in reversed(head.deltas) if delta.full)
        try:
            for _ in place.pages(head.replica, base.pages):
                continue  # a base that cannot be read whole is not even begun
        except (ObjectDamaged, ObjectMissing) as error:
            refused = error
            continue
        saved = _save(mine, base.vv, head.epoch, file)
        pages = place.pages(head.replica, base.pages)
        return Joined(saved, bootstrap(mine, pages, actor=actor, lease=lease).late)
    raise refused


def _candidates(mine: Store, place: Place) -> list[Head]:
    """Heads of the latest epoch with a base, the newest first."""
    own = mine.own_replica()
    found = [place.newest(names).head for who, names in place.names().items() if who != own]
    heads = [head for head in found if head is not None and any(d.full for d in head.deltas)]
    latest = max((head.epoch for head in heads), default=0)
    return sorted(
        (head for head in heads if head.epoch == latest >= mine.meta().epoch),
        key=lambda head: head.sent_ms,
        reverse=True,
    )


def _save(mine: Store, vv: Mapping[str, int], epoch: int, file: Path) -> Saved:
    return save_writes(mine, vv if epoch > mine.meta().epoch else {}, epoch, file)
