"""What is news to a peer, read from one snapshot.

Every row and every entry of the change log carries the change sequence. For each peer we know one
moment, a sequence and a vector, up to which it was told everything. Whoever has seen that vector
can only lack paths that were touched after that moment, and those are found by an index: the cost
follows the changes, not the store.

A sibling that the receiver has seen is only named. Should the receiver not hold it, it has dropped
it for a reason that our own vector must not undo.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from memtend.codec.address import read_address
from memtend.codec.compress import Codec, Damaged
from memtend.codec.delta import mark_of, plain_body, write_pages
from memtend.codec.envelope import Body, check_row, codec_of, unpack
from memtend.crdt.causal import covers, descends
from memtend.errors import ArchiveUnreachable, LimitExceeded, RecordDamaged
from memtend.limits import DELTA_SIBLINGS_MAX
from memtend.model.delta import Carried, DeltaHead, Ended, Item, Named, Told
from memtend.model.dot import Dot
from memtend.model.stored import LogRow, StoredRow
from memtend.store.peers import Sent, live, peers_in
from memtend.store.snapshot import Snapshot

if TYPE_CHECKING:
    from memtend.store.engine import Reader
    from memtend.store.store import Store

_BY_PATH = itemgetter(slice(3))


class Outgoing(NamedTuple):
    """A delta that is about to leave. `seq` is the change sequence that it goes up to."""

    head: DeltaHead
    seq: int
    store: Store
    view: Snapshot
    after: int

    @property
    def sent(self) -> Sent:
        """To be noted once it was taken in."""
        return Sent(self.head.sender, self.seq, self.head.vv)

    def pages(self) -> Iterator[bytes]:
        """Its pages, read as they are asked for; only while the block that made it is open."""
        return write_pages(self.head, self.items())

    def items(self) -> Iterator[Item]:
        """What it says of each path, in their order."""
        head = self.head
        rows = self.view.rows() if head.full else self.view.changed_rows(self.after)
        found: Iterator[StoredRow | LogRow] = merge(rows, self.view.log(self.after), key=_BY_PATH)
        for path, group in groupby(found, key=_BY_PATH):
            told = list(group)
            siblings = [one for one in told if isinstance(one, StoredRow)]
            ended = [
                Ended(Dot(one.replica, one.n), one.at_ms, one.why)
                for one in told
                if isinstance(one, LogRow) and one.n > head.since.get(one.replica, 0)
            ]
            bodies = [body_of(row) for row in siblings]
            if (head.full and siblings) or ended or not _all_seen(head, bodies):
                yield self._item(path, siblings, bodies, ended)

    def _item(
        self,
        path: tuple[str, str, str],
        siblings: list[StoredRow],
        bodies: list[Body],
        ended: list[Ended],
    ) -> Item:
        if len(siblings) > DELTA_SIBLINGS_MAX:
            name, many = "/".join(filter(None, path)), len(siblings)
            raise LimitExceeded(what="siblings", name=name, actual=many, limit=DELTA_SIBLINGS_MAX)
        told = tuple(map(self._told, siblings, bodies))
        return Item(*path, told, tuple(ended))

    def _told(self, row: StoredRow, body: Body) -> Told:
        packed = plain_body(body, row.body)
        if covers(self.head.since, body.dot):
            return Named(body.dot, mark_of(row.exp_ms, packed, row.content))
        return Carried(packed, row.exp_ms, text_of(self.store, row, body))


def opened(
    store: Store, reader: Reader, known: dict[str, int], *, sent_ms: int, full: bool
) -> Outgoing:
    view = Snapshot(store, reader)
    state = view.state
    found = peers_in(reader, store.url)
    whole = full or not descends(known, state.floor)
    told = [peer.at_seq for peer in found if descends(known, peer.at_vv)]
    head = DeltaHead(
        sender=state.replica,
        store_id=state.store_id,
        epoch=state.epoch,
        vv=state.vv,
        since=known,
        full=whole,
        floor=state.floor if whole else {},
        hlc=state.hlc,
        sent_ms=sent_ms,
        heard={peer.id: peer.heard_ms for peer in live(found) if peer.heard_ms},
    )
    return Outgoing(head, state.seq, store, view, -1 if whole else max(told, default=0))


def _all_seen(head: DeltaHead, bodies: list[Body]) -> bool:
    return all(covers(head.since, body.dot) for body in bodies)


def body_of(row: StoredRow) -> Body:
    """The body of a row that matches its hash; raises `RecordDamaged`."""
    try:
        if check_row(row):
            return unpack(row.body)
    except Damaged as error:
        raise _damaged(row, str(error)) from error
    raise _damaged(row, "its hash does not match")


def text_of(store: Store, row: StoredRow, body: Body) -> bytes:
    """The canonical text of a row, from the archive if need be."""
    try:
        if codec_of(row.flags) != Codec.ARCHIVED:
            return store.text_of(body, codec_of(row.flags), row.value)
        if store.archive is None:
            raise ArchiveUnreachable(url=store.url, why="it was opened without its archive")
        text = store.archive.text(read_address(row.value), f"{row.namespace}/{row.key}")
    except Damaged as error:
        raise _damaged(row, str(error)) from error
    if len(text) != body.size:
        raise _damaged(row, "its archived value is another")
    return text


def _damaged(row: StoredRow, why: str) -> RecordDamaged:
    return RecordDamaged(namespace=row.namespace, key=row.key, why=why)
