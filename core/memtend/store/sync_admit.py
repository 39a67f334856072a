"""Whether a delta may be taken in, asked within the transaction that will; and what is noted of
its sender when it was (CRDT_SPEC 1.2, 2.4, 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.crdt.causal import join
from memtend.crdt.hlc import receive
from memtend.errors import DeltaGap, EpochMismatch, PeerClock, PeerRetired
from memtend.limits import PEER_AHEAD_MS_MAX
from memtend.store.peers import Peer, peers_in, put_peer

if TYPE_CHECKING:
    from memtend.model.delta import DeltaHead
    from memtend.store.change import Change
    from memtend.store.lines import Lines
    from memtend.store.store import Store

_DAY_MS = 24 * 3_600_000


class Admission:
    """`new_replica` is set where this replica had to begin another line of history."""

    def __init__(self, store: Store, change: Change, head: DeltaHead, lines: Lines) -> None:
        self._store, self._change, self._head, self._lines = store, change, head, lines
        self._peers = {peer.id: peer for peer in peers_in(change.tx, store.url)}
        self.alarms: list[str] = []
        self.new_replica: str | None = None

    def check(self) -> None:
        """Raise unless it may be merged; take over the sender's clock."""
        change, head, lines = self._change, self._head, self._lines
        if head.epoch != change.meta.epoch:
            raise EpochMismatch(sender=head.sender, theirs=head.epoch, ours=change.meta.epoch)
        peer = self._peers.get(head.sender)
        if peer is not None and peer.retired_ms is not None:
            days = (change.now_ms - peer.met_ms) / _DAY_MS
            raise PeerRetired(sender=head.sender, silent_days=days)
        behind = sum(max(n - lines.seen.get(r, 0), 0) for r, n in head.since.items())
        if behind:
            raise DeltaGap(sender=head.sender, behind=behind)
        ahead_ms = head.sent_ms - change.now_ms
        if ahead_ms > PEER_AHEAD_MS_MAX:
            raise PeerClock(ahead_ms=ahead_ms, limit_ms=PEER_AHEAD_MS_MAX)
        change.hlc = receive(change.hlc, head.hlc, change.now_ms)
        more = head.vv.get(lines.own, 0) - change.n
        if more > 0:
            self._begin_again(more)

    def _begin_again(self, more: int) -> None:
        """Somebody has events of ours that we never wrote: we were put back, or copied."""
        before, fresh = self._lines.own, self._store.clock.new_id()
        self._lines.begin(fresh)
        self.new_replica = fresh
        self.alarms.append(
            f"{self._head.sender} has {more:,} events of {before} that are not here: this replica "
            f"was copied or put back, and writes as {fresh} from now on"
        )

    def note_heard(self) -> None:
        """The sender has seen its vector, and sent all that it wrote before `sent_ms`."""
        head, now_ms = self._head, self._change.now_ms
        for replica, ms in head.heard.items():
            known = self._peers.get(replica, Peer(replica))
            heard_ms = min(ms, head.sent_ms)
            if replica == self._lines.own or known.retired_ms is not None:
                continue
            if heard_ms > known.heard_ms:
                self._put(known._replace(heard_ms=heard_ms, met_ms=now_ms))
        if head.sender != self._lines.own:
            known = self._peers.get(head.sender, Peer(head.sender))
            heard_ms = max(known.heard_ms, head.sent_ms)
            seen = join(known.seen, head.vv)
            self._put(known._replace(seen=seen, heard_ms=heard_ms, met_ms=now_ms))

    def _put(self, peer: Peer) -> None:
        self._peers[peer.id] = peer
        put_peer(self._change.tx, peer)
