"""Who a sync is with: rows of peers by replica id, and by address for what has an address.

A place has a row of its own, under an id made from its address: what was published there counts as
seen by a peer. A store that was registered and not yet met has such a row, too; when it is met, the
row of its replica takes over name, address and rights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from memtend.crdt.causal import descends, join
from memtend.model.pattern import compile_pattern
from memtend.store.peers import (
    Peer,
    Sent,
    acknowledged,
    address_id,
    forget_peer,
    peers,
    peers_in,
    put_peer,
    save_peer,
)
from memtend.sync.report import PeerKind

if TYPE_CHECKING:
    from memtend.store.store import Store


def kind_of(peer: Peer) -> PeerKind:
    if peer.id == address_id(PeerKind.PLACE, peer.url):
        return PeerKind.PLACE
    return PeerKind.STORE if is_store(peer.url) else PeerKind.MEMBER


def is_store(url: str) -> bool:
    return url.startswith(("sqlite:///", "postgresql://"))


def find(store: Store, peer_id: str) -> Peer | None:
    return next((one for one in peers(store) if one.id == peer_id), None)


def met(
    store: Store,
    peer_id: str,
    seen: Mapping[str, int],
    *,
    name: str = "",
    url: str = "",
    sent: Sent | None = None,
) -> None:
    """Note what a peer has seen, and that it lives. `sent`: a delta that it took in.

    A name that was given here stays, and so does the address of a store: a place is farther.
    """
    row = find(store, peer_id)
    if row is not None:
        name = row.name or name
        url = row.url if is_store(row.url) and not is_store(url) else url
    acknowledged(store, peer_id, seen, name=name, url=url, sent=sent)


def heard(store: Store, peer_id: str, at_ms: int) -> None:
    """All that a peer wrote before `at_ms`, by its own clock, has been taken in."""
    with store.engine.write() as tx:
        tx.fetch("meta_locked")
        for row in peers_in(tx, store.url):
            if row.id == peer_id and row.heard_ms < at_ms:
                put_peer(tx, row._replace(heard_ms=at_ms))


def rows_of(store: Store, other: Store, url: str) -> list[Peer]:
    """The row of another store, and those of what it was before at the same address."""
    own = other.own_replica()
    rows = [row for row in peers(store) if row.id == own or row.url == url]
    return sorted(rows, key=lambda row: row.id != own)


def take_over(store: Store, replica: str, url: str) -> None:
    """Give the replica now met at `url` what was set for the address, and end what it was before.

    A store that was restored or bootstrapped there goes on under a new id; its old line of history
    has ended and must not hold back the log.
    """
    rows = peers(store)
    before = [one for one in rows if one.url == url and one.id != replica]
    mine = next((one for one in rows if one.id == replica), None)
    if not before or mine is None:
        return
    accept = mine.accept or next((one.accept for one in before if one.accept), ())
    name = next((one.name for one in before if one.name), mine.name)
    save_peer(store, mine._replace(accept=accept, name=name))
    for one in before:
        forget_peer(store, one.id)


def accepting(*rows: Peer | None) -> Callable[[str], bool] | None:
    """Which namespaces may come: what the first row with patterns says. None: all."""
    patterns = next((row.accept for row in rows if row is not None and row.accept), ())
    if not patterns:
        return None
    compiled = [compile_pattern(text) for text in patterns]
    return lambda namespace: any(one.governs(namespace) for one in compiled)


def retired(store: Store) -> dict[str, Peer]:
    return {one.id: one for one in peers(store) if one.retired_ms is not None}


def backlog(seen: Mapping[str, int], vv: Mapping[str, int]) -> int:
    """How many of the events in `vv` a peer has not seen."""
    if descends(seen, vv):
        return 0
    return sum(n - seen.get(replica, 0) for replica, n in join(seen, vv).items())
