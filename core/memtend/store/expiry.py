"""Dropping records whose deadline has passed: local compaction, no new event (CRDT_SPEC 6.3).

The dots go into the change log, so that a peer learns that they ended. A slice is one short
transaction; rows that changed meanwhile have another sequence number and are left alone. Only the
end of a counter is an event, which every peer hears of (ADR 0007).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from memtend.codec.envelope import type_of
from memtend.crdt.rows import RowKind
from memtend.limits import MESSAGE_DEAD_KEEP_MS, MESSAGE_TTL_MS_MAX, OP_KEEP_MS, SWEEP_MARGIN_MS
from memtend.store.change import Old
from memtend.store.peers import heard_by, peers_in

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.change import Change
    from memtend.store.store import Store


class Expired(NamedTuple):
    seq: int
    namespace: str
    key: str
    field: str
    exp_ms: int
    size: int


class Dropped(NamedTuple):
    rows: int
    bytes: int


def expired(store: Store, limit: int) -> list[Expired]:
    """Rows whose deadline passed at least the margin ago, oldest deadline first."""
    until = store.clock.now_ms() - SWEEP_MARGIN_MS
    rows = store.engine.read("expired", (until, limit))
    path = store.namespaces.path
    return [
        Expired(seq, path(ns), key, field, exp, size) for seq, ns, key, field, exp, size in rows
    ]


def leftovers(store: Store, places: Iterable[tuple[str, str]]) -> list[int]:
    """Sequence numbers of expired rows under keys that somebody tried to read."""
    until = store.clock.now_ms() - SWEEP_MARGIN_MS
    found: list[int] = []
    for namespace, key in places:
        if ns := store.namespaces.find(namespace):
            rows = map(Old._make, store.engine.read("old", (ns[0], key, "")))
            found += [old.seq for old in rows if old.exp is not None and old.exp <= until]
    return found


def forget_operations(store: Store) -> None:
    """Let go of operation ids that nobody repeats any more (kept for a day).

    Those of messages go with their message; only what lost its message goes by itself.
    """
    now_ms = store.clock.now_ms()
    long_ago = now_ms - OP_KEEP_MS - MESSAGE_TTL_MS_MAX - MESSAGE_DEAD_KEEP_MS
    with store.engine.write() as tx:
        tx.run("forget_ops", (now_ms - OP_KEEP_MS, long_ago))


def drop_expired(
    store: Store, seqs: Sequence[int], *, actor: str, lease: Lease | None = None
) -> Dropped:
    """Drop those of `seqs` that are still there and still expired, in one transaction."""
    if not seqs:
        return Dropped(0, 0)
    return store.ballast.deleting(lambda: _drop(store, seqs, actor, lease))


def _drop(store: Store, seqs: Sequence[int], actor: str, lease: Lease | None) -> Dropped:
    with store.change(actor, [("old_by_seq", (store.engine.array(seqs),))], lease) as (
        change,
        [rows],
    ):
        until = change.now_ms - SWEEP_MARGIN_MS
        heard_ms = heard_by(peers_in(change.tx, store.url), change.now_ms)
        counters_until = min(until, heard_ms - SWEEP_MARGIN_MS)
        olds = [old for old in map(Old._make, rows) if _may_go(change, old, until, counters_until)]
        if olds:
            change.seq += 1
        before = _logged_before(store, change, olds)
        for old in olds:
            change.drop(old, store.namespaces.path(old.ns))
            n = max(old.n, before.get((old.ns, old.key, old.field, old.r), 0))
            change.log(old.ns, old.key, old.field, (old.r, n), "swept")
        # Somebody unknown here may have extended a counter in time. Whoever heard of that first
        # keeps the other parts, and must hear that they are gone: this sweep is an event.
        for ns, key, field in sorted({(o.ns, o.key, o.field) for o in olds if _is_part(o)}):
            change.log(ns, key, field, (change.meta.replica_no, change.mint().n), "swept")
        if olds:
            # A new life under the same key begins unread.
            change.tx.run_many("forget_access", {(old.ns, old.key) for old in olds})
            change.note("sweep", f"{len(olds)} expired records")
    return Dropped(len(olds), sum(old.size for old in olds))


def _logged_before(
    store: Store, change: Change, olds: Sequence[Old]
) -> dict[tuple[int, str, str, int], int]:
    """What the log says of these paths already, where siblings may end one after another.

    A later event of the same replica may have ended first. The entry then keeps its number, but
    must move up in the change sequence, or the next backup would not learn of this ending.
    """
    numbers = sorted({old.ns for old in olds})
    contested = {row[0] for row in change.tx.fetch("contested", (store.engine.array(numbers),))}
    return {
        (ns, key, field, r): n
        for ns, key, field in {(old.ns, old.key, old.field) for old in olds if old.ns in contested}
        for r, n in change.tx.fetch("log_of_field", (ns, key, field))
    }


def _may_go(change: Change, old: Old, until: int, counters_until: int) -> bool:
    """Whether a row's deadline has passed; for a part of a counter that of all parts, and every
    peer was heard after it (ADR 0007)."""
    if old.exp is None or old.exp > until:
        return False
    if not _is_part(old):
        return True
    parts = map(Old._make, change.tx.fetch("old", (old.ns, old.key, old.field)))
    return all(part.exp is not None and part.exp <= counters_until for part in parts)


def _is_part(old: Old) -> bool:
    return type_of(old.flags) == RowKind.COUNTER
