"""Coming back to the others: under a new id with one's own writes, or with their state for one's
own (CRDT_SPEC 7.2, 8.3).

`rejoin` is for a replica that its peers have retired. `bootstrap` is for one that was left behind
when everybody was rolled back, and for a copy that wrote under the id of its original, whose vector
is worth nothing; what it wrote and the others never saw is handed out by `unsent` first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from memtend.clock import to_datetime
from memtend.codec.compress import Codec
from memtend.codec.envelope import codec_of, is_sound, path_of, prefix_of, unpack
from memtend.crdt.causal import covers
from memtend.errors import RecordDamaged
from memtend.store.change import Old
from memtend.store.lines import Lines
from memtend.store.peers import peers_in, put_peer
from memtend.store.snapshot import snapshot
from memtend.store.sync_out import body_of, text_of

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.bootstrapping import Bootstrapped
    from memtend.store.change import Change
    from memtend.store.engine import Row
    from memtend.store.store import Store

_PAGE = 500
DELETED = "deleted"


class Rejoined(NamedTuple):
    """The id under which this store writes now, and how many values it wrote again."""

    replica: str
    rewritten: int


def rejoin(store: Store, their_vv: Mapping[str, int], *, actor: str) -> Rejoined:
    """Write under a new id; values of the old one that `their_vv` does not cover become new events.

    Who was away takes back what it decided about others meanwhile: they were not silent, it was
    deaf. One transaction.
    """
    with store.change(actor) as (change, _):
        lines = Lines(change)
        before = lines.own
        number, seen = change.meta.replica_no, their_vv.get(before, 0)
        lines.begin(store.clock.new_id())
        rewritten, after = 0, 0
        while rows := change.tx.fetch("of_replica", (number, seen, after, _PAGE)):
            after = rows[-1][0]
            array = store.engine.array([seq for (seq,) in rows])
            for row in change.tx.fetch("by_seq", (array,)):
                _write_again(store, change, row)
                rewritten += 1
            change.write_rows()
        for peer in peers_in(change.tx, store.url):
            if peer.retired_ms is not None:
                put_peer(change.tx, peer._replace(retired_ms=None, met_ms=change.now_ms))
        change.note("rejoin", f"{before} is now {lines.own}; {rewritten:,} values written again")
    return Rejoined(lines.own, rewritten)


def unsent(store: Store, their_vv: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """What is here and somebody who has seen `their_vv` never saw, as plain JSON values: records,
    and the names of those that were deleted."""
    from memtend.store.records import to_record  # noqa: PLC0415
    from memtend.store.seen import Seen  # noqa: PLC0415

    with snapshot(store) as view:
        for row in view.rows():
            body = body_of(row)
            if not covers(their_vv, body.dot):
                seen = Seen(body, text_of(store, row, body), row.exp_ms)
                record = to_record(row.namespace, row.key, seen, 0, row.field)
                left_out = {"access_count", "accessed_at", "conflicts", "archived"}
                yield record.model_dump(mode="json", exclude=left_out)
        for entry in view.log():
            if entry.why == DELETED and entry.n > their_vv.get(entry.replica, 0):
                at = to_datetime(entry.at_ms).isoformat()
                path = {"namespace": entry.namespace, "key": entry.key, "field": entry.field}
                yield {**path, "deleted_at": at}


def bootstrap(
    store: Store, pages: Iterable[bytes], *, actor: str, lease: Lease | None = None
) -> Bootstrapped:
    """Take the sender's state and epoch whole; see `store.bootstrapping`."""
    from memtend.store.bootstrapping import bootstrap as take_over  # noqa: PLC0415

    return take_over(store, pages, actor=actor, lease=lease)


def _write_again(store: Store, change: Change, row: Row) -> None:
    seq, ns, key, field, r, n, exp, flags, _, _, _, content, size, packed, value, digest = row
    namespace = store.namespaces.path(ns)
    if not is_sound(prefix_of(namespace), path_of(key, field), flags, exp, packed, value, digest):
        raise RecordDamaged(namespace=namespace, key=key, why="its hash does not match")
    body = unpack(bytes(packed))
    stub = bytes(value) if codec_of(flags) == Codec.ARCHIVED else None
    old = Old(seq, n, exp, flags, size, bytes(packed), key, field, ns, r, bytes(digest), stub)
    change.drop(old, namespace)
    dot = change.mint()
    # It keeps its time and its deadline: coming back late makes no value newer than it was.
    again = body._replace(replica=dot.replica, n=dot.n)
    data, text = again.pack(), bytes(value)
    columns = (
        ns, key, field, change.meta.replica_no, dot.n, exp, flags, again.kind, again.agent,
        again.writer, content, len(data) + len(text), data, text,
    )  # fmt: skip
    change.insert(namespace, again, columns)
