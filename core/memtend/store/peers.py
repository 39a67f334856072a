"""Peers: what each other replica has seen, when it was heard, and what it may send.

A peer that is not retired holds things back: the change log keeps what it has not seen, and a
counter stays until it was heard after the deadline. So whoever has been silent for a week is
retired; that is a decision of this replica alone, and lies in the peer's row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import orjson
import ormsgpack

from memtend.crdt.causal import descends, join
from memtend.errors import StoreDamaged
from memtend.limits import PEER_SILENT_MS
from memtend.model.pattern import compile_pattern
from memtend.store.meta import crc_of

if TYPE_CHECKING:
    from memtend.store.engine import Reader, Row, Transaction
    from memtend.store.store import Store

_ADDRESSES = ("place", "store")


class Peer(NamedTuple):
    """`seen` is what it is known to have seen. `at_seq` and `at_vv` are our change sequence and our
    vector at one moment up to which it was told everything. `heard_ms` is its own time when it last
    sent something that came here, directly or through others; `met_ms` our time when it last did
    or answered.
    """

    id: str
    name: str = ""
    url: str = ""
    seen: dict[str, int] = {}  # noqa: RUF012 — never changed
    at_seq: int = 0
    at_vv: dict[str, int] = {}  # noqa: RUF012 — never changed
    heard_ms: int = 0
    met_ms: int = 0
    retired_ms: int | None = None
    accept: tuple[str, ...] = ()

    @property
    def is_replica(self) -> bool:
        """Whether the row stands for a replica, and not for an address where one may be met."""
        return self.id not in {address_id(kind, self.url) for kind in _ADDRESSES}

    @property
    def is_place(self) -> bool:
        """Whether it stands for a place; `seen` is then what was put there."""
        return self.id == address_id("place", self.url)


class Sent(NamedTuple):
    """A delta that a peer took in: who we were, and the sequence and vector that it went up to."""

    sender: str
    seq: int
    vv: Mapping[str, int]


def address_id(kind: str, url: str) -> str:
    """The id of a row that stands for a `place`, or for a `store` that was not met yet."""
    return sha256(f"{kind} {url}".encode()).hexdigest()[:32]


def peers(store: Store) -> list[Peer]:
    """All of them, retired ones too; raises `StoreDamaged`."""
    return [_peer(row, store.url) for row in store.engine.read("peers")]


def peers_in(reader: Reader, url: str) -> list[Peer]:
    """The same as one view, or a transaction, sees them."""
    return [_peer(row, url) for row in reader.fetch("peers")]


def sound(rows: Iterable[Row]) -> Iterator[Peer]:
    """Those of statement `peers` that match their checksums: a restore takes no others over."""
    for row in rows:
        with suppress(StoreDamaged):
            yield _peer(row, "")


def live(found: Iterable[Peer]) -> list[Peer]:
    """The replicas among them that are not retired."""
    return [peer for peer in found if peer.retired_ms is None and peer.is_replica]


def heard_by(found: Iterable[Peer], now_ms: int) -> int:
    """Up to when every live peer was heard; without peers, up to now (ADR 0007)."""
    return min((peer.heard_ms for peer in live(found)), default=now_ms)


def save_peer(store: Store, peer: Peer) -> None:
    with store.engine.write() as tx:
        put_peer(tx, peer)


def put_peer(tx: Transaction, peer: Peer) -> None:
    row = (
        peer.id, peer.name, peer.url, _pack(peer.seen), peer.at_seq, _pack(peer.at_vv),
        peer.heard_ms, peer.met_ms, peer.retired_ms, orjson.dumps(peer.accept).decode(),
    )  # fmt: skip
    tx.run("save_peer", (*row, crc_of(row)))


def forget_peer(store: Store, peer_id: str) -> None:
    """Let go of a peer, and of its retirement: if it comes again, it is a new one."""
    with store.engine.write() as tx:
        tx.run("forget_peer", (peer_id,))


def acknowledged(
    store: Store,
    peer_id: str,
    vv: Mapping[str, int],
    *,
    name: str = "",
    url: str = "",
    sent: Sent | None = None,
) -> None:
    """A peer said that it has seen `vv`; makes its row if there is none.

    `sent`: a delta of ours that it took in (`Outgoing.sent`). The next delta for it looks no
    further back. Without it, or where this store was restored since and its sequence means
    something else, that is known where `vv` includes all that is seen here.
    """
    now_ms = store.clock.now_ms()
    with store.change("sync") as (change, _):
        known = {peer.id: peer for peer in peers_in(change.tx, store.url)}
        peer = known.get(peer_id, Peer(peer_id))
        state = store.state(change.tx)
        if sent is None or sent.sender != state.replica:
            now = Sent(state.replica, state.seq, state.vv)
            sent = now if descends(vv, state.vv) else None
        if sent is not None and sent.seq > peer.at_seq:
            peer = peer._replace(at_seq=sent.seq, at_vv=dict(sent.vv))
        put_peer(
            change.tx,
            peer._replace(
                name=name or peer.name,
                url=url or peer.url,
                seen=join(peer.seen, vv),
                met_ms=max(peer.met_ms, now_ms),
            ),
        )


def allow(store: Store, peer_id: str, patterns: Iterable[str]) -> None:
    """Say which namespaces a peer may send; none given: all."""
    accept = tuple(compile_pattern(text).text for text in patterns)
    with store.change("operator") as (change, _):
        known = {peer.id: peer for peer in peers_in(change.tx, store.url)}
        put_peer(change.tx, known.get(peer_id, Peer(peer_id))._replace(accept=accept))
        change.note("peer", f"{peer_id} may send {', '.join(accept) or 'everything'}")


def retire_silent(store: Store, *, actor: str = "sync") -> list[str]:
    """Retire every replica that was neither heard nor answered for a week; returns their ids."""
    until_ms = store.clock.now_ms() - PEER_SILENT_MS
    if all(peer.met_ms > until_ms for peer in live(peers(store))):
        return []
    with store.change(actor) as (change, _):
        silent = [p for p in live(peers_in(change.tx, store.url)) if p.met_ms <= until_ms]
        for peer in silent:
            put_peer(change.tx, peer._replace(retired_ms=change.now_ms))
            change.note("peer", f"{peer.id} is retired: it was silent")
    return [peer.id for peer in silent]


def _pack(vector: Mapping[str, int]) -> bytes:
    return ormsgpack.packb(dict(vector), option=ormsgpack.OPT_SORT_KEYS)


def _peer(row: Row, url: str) -> Peer:
    peer_id, name, address, seen, at_seq, at_vv, heard, met, retired, accept, crc = row
    seen, at_vv = bytes(seen), bytes(at_vv)
    values = (peer_id, name, address, seen, at_seq, at_vv, heard, met, retired, accept)
    if crc_of(values) != crc:
        raise StoreDamaged(url=url, why=f"the row of peer {peer_id} was changed")
    vectors = ormsgpack.unpackb(seen), ormsgpack.unpackb(at_vv)
    return Peer(
        peer_id, name, address, vectors[0], at_seq, vectors[1], heard, met, retired,
        tuple(orjson.loads(accept)),
    )  # fmt: skip
