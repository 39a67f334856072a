"""What is waiting to be migrated, found at a cost that grows with what was written since.

The store remembers up to which change it has looked, what it found, and how many rows there were.
Every row keeps its number for as long as it stands; so the rows that were looked at and are gone
are known by counting. Where few are waiting, their numbers are kept, and the answer stays exact.
Where many are, it is an upper bound until as many rows have gone as were waiting.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from memtend.errors import StoreBusy, StoreFull
from memtend.limits import MIGRATION_NEWS_ROWS, MIGRATION_SEQS_MAX, SLICE_ROWS_MAX
from memtend.migrate.casting import Forward, Move
from memtend.migrate.report import Pending
from memtend.store.meta import Meta, crc_of
from memtend.store.recasting import pages

if TYPE_CHECKING:
    from memtend.store.store import Store
    from memtend.upcast.family import Family

SETTING: Final = "migrate:"
"""Settings whose names begin so hold what was found, one for each family."""


@dataclass
class Seen:
    """What was found up to change `seq`, when the store had `rows` rows on this line of history.

    `lost` rows have gone since they were counted, and nobody knows which.
    """

    replica: str
    wanted: str
    seq: int = 0
    rows: int = 0
    lost: int = 0
    archived: int = 0
    unreadable: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    seqs: dict[str, list[int]] | None = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def add(self, name: str, seq: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1
        if self.seqs is not None:
            self.seqs.setdefault(name, []).append(seq)
            if self.total > MIGRATION_SEQS_MAX:
                self.seqs = None


def pending(store: Store, family: Family, wanted: str, *, full: bool = False) -> Pending:
    """Older values of a family. `full` looks at everything and remembers that."""
    replica = store.own_replica()
    fresh = Seen(replica, wanted)
    seen = fresh if full else (_remembered(store, family) or fresh)
    with store.engine.snapshot() as reader:
        meta = Meta.of(reader.fetch("meta"), store.url)
        [(since,)] = reader.fetch("rows_since", (seen.seq,))
    if (seen.replica, seen.wanted) != (replica, wanted) or seen.seq > meta.seq:
        seen, since = fresh, meta.rows
    gone = seen.rows - (meta.rows - since)
    if gone and seen.seqs is not None:
        _drop_gone(store, seen)
    elif gone:
        seen.lost += gone
        if seen.lost >= seen.total:
            seen = Seen(replica, wanted)
    began = seen.seq
    _look(store, family, wanted, seen, meta.seq)
    seen.seq, seen.rows = meta.seq, meta.rows
    if full or meta.seq - began >= MIGRATION_NEWS_ROWS:
        _remember(store, family, seen)
    return Pending(
        family=family.name,
        wanted=wanted,
        counts=dict(sorted(seen.counts.items())),
        archived=seen.archived,
        unreadable=seen.unreadable,
        seq=seen.seq,
        exact=not seen.lost,
    )


def unseen(store: Store, family: Family) -> int:
    """How many changes there have been since the store was last looked through."""
    seen = _remembered(store, family)
    return store.meta().seq - (seen.seq if seen else 0)


def _look(store: Store, family: Family, wanted: str, seen: Seen, upto: int) -> None:
    forward = Forward(family, wanted, casting=False)
    for page in pages(store, forward.kinds, seen.seq, upto, SLICE_ROWS_MAX):
        for aged in page:
            look = forward(aged)
            if look is None:
                continue
            if look.move is Move.CAST:
                seen.add(f"{look.kind} {look.found}", aged.seq)
            seen.archived += look.move is Move.ARCHIVED
            seen.unreadable += look.move is Move.REFUSED


def _drop_gone(store: Store, seen: Seen) -> None:
    """Count again those of the waiting rows that still stand, by their numbers."""
    found, seen.counts, seen.seqs = seen.seqs or {}, {}, {}
    for name, seqs in found.items():
        for (seq,) in store.engine.read("still_there", (store.engine.array(seqs),)):
            seen.add(name, seq)


def _remembered(store: Store, family: Family) -> Seen | None:
    rows = store.engine.read("setting", (SETTING + family.name,))
    if not rows:
        return None
    try:
        told: dict[str, Any] = orjson.loads(rows[0][0])
        return Seen(**told)
    except (ValueError, TypeError):
        return None  # another program's way to say it, or damage: then everything is looked at


def _remember(store: Store, family: Family, seen: Seen) -> None:
    """Who cannot write now looks again the next time."""
    row = (SETTING + family.name, orjson.dumps(seen).decode())
    with suppress(StoreBusy, StoreFull), store.engine.write() as tx:
        tx.run("save_setting", (*row, crc_of(row)))
