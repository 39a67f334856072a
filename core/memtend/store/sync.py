"""Sync between replicas (CRDT_SPEC 5): what is news to a peer, and taking in what a peer says.

    with outgoing(theirs, vector(mine)) as delta:
        applied = apply(mine, delta.pages())
    acknowledged(theirs, own_id, applied.vv, sent=delta.sent)

Sending writes nothing. Taking in is one transaction: all of it, or, refused, nothing. A delta may
be lost, repeated, late, or reach a third replica: the result is the same, or it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from memtend.errors import NotEntitled
from memtend.store.sync_in import Received
from memtend.store.sync_out import Outgoing, opened
from memtend.store.told import note_told

if TYPE_CHECKING:
    from memtend.model.delta import Applied
    from memtend.store.store import Store

__all__ = ["Outgoing", "apply", "outgoing", "vector"]


def vector(store: Store) -> dict[str, int]:
    """What is seen here: for each replica the number of its newest event."""
    meta = store.meta()
    # Read second, so that the answer never claims an event that was not there at its end.
    seen = {row[1]: row[2] for row in store.engine.read("replicas")}
    own = store.replicas.id(meta.replica_no)
    seen[own] = max(seen.get(own, 0), meta.n)
    return {replica: n for replica, n in seen.items() if n}


@contextmanager
def outgoing(store: Store, known: Mapping[str, int], *, full: bool = False) -> Iterator[Outgoing]:
    """All that is news to somebody who has seen `known`, as one moment of the store has it.

    It costs as much as has changed since a peer was last told that had seen no more. Where `known`
    is below the floor of the change log, or with `full`, every key is named; values go along for
    what `known` does not cover. Raises `RecordDamaged` on the way where a row is damaged: leaving
    it out would say that it is gone.
    """
    sent_ms = store.clock.now_ms()  # before the view: whatever is older is in it
    with store.engine.snapshot() as reader:
        delta = opened(store, reader, dict(known), sent_ms=sent_ms, full=full)
        note_told(store.engine, delta.head.sender, delta.head.vv.get(delta.head.sender, 0))
        yield delta


def apply(
    store: Store,
    pages: Iterable[bytes],
    *,
    accept: Callable[[str], bool] | None = None,
    actor: str = "sync",
) -> Applied:
    """Take in a delta. `accept` says which namespaces its sender may send; None: all.

    Every page is checked before the store is locked; pages wait on the disk, so that memory stays
    bounded. Nothing is refused for its size: quotas are reported among the alarms, since whoever
    drops what others keep differs from them for ever.

    Raises `DeltaRefused`, `EpochMismatch`, `PeerRetired`, `DeltaGap`, `PeerClock`, `NotEntitled`,
    `ReplicaCloned`; the store is then as before.
    """
    from memtend.store.sync_merge import Merging  # noqa: PLC0415 — most processes never merge

    with Received(store.url) as received:
        head = received.fill(pages)
        for namespace in sorted(received.namespaces):
            if accept is not None and not accept(namespace):
                raise NotEntitled(sender=head.sender, namespace=namespace)
        with store.change(actor) as (change, _):
            merging = Merging(store, change, head, accept)
            applied = merging.run(received.items())
    merging.keep()
    return applied
