"""A real store in the part of a replica: the public API, with what a world asks of a replica.

Keys of a history are places of a store: three plain keys in two namespaces, a counter whose
namespace gives it a TTL, and one element of a set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from memtend.clock import ManualClock
from memtend.crdt.rows import Sibling
from memtend.errors import DeltaGap, DeltaRefused, NotFound, PeerClock, PeerRetired
from memtend.memory import Memory
from memtend.model.dot import Dot
from memtend.services import Services
from memtend.store.expiry import drop_expired, expired
from memtend.store.logfloor import drop_log
from memtend.store.peers import Peer, acknowledged, heard_by, peers, save_peer
from memtend.store.peers import Sent as Told
from memtend.store.rejoining import rejoin
from memtend.store.sync import apply, outgoing, vector
from tests.laws.deltas import Counts
from tests.laws.replica import COUNTER

ELEMENT: Final = "e"
RED: Final = "red"
PLACES: Final = {
    "x": ("w/a", "x"),
    "y": ("w/a", "y"),
    "z": ("w/b", "z"),
    COUNTER: ("w/counts", "n"),
    ELEMENT: ("w/sets", "colours"),
}
COUNTS_TTL_MS: Final = 100_000
_KEYS: Final = {place: key for key, place in PLACES.items()}
_SIBLINGS: Final = (
    "SELECT path, key, field, flags, exp, body, value, hash FROM sibling "
    "JOIN namespace ON namespace.id = ns"
)
REFUSALS: Final = (DeltaGap, PeerClock, PeerRetired)


class Sent(NamedTuple):
    """A delta on its way: its pages as bytes."""

    sender: str
    sent_ms: int
    pages: tuple[bytes, ...]
    told: Told


class StoreReplica:
    """`services` of one store, whose clock this replica moves to where the world's stands."""

    def __init__(self, services: Services, clock: ManualClock) -> None:
        self.services, self.clock = services, clock

    @property
    def memory(self) -> Memory:
        return self.services.memory

    @property
    def id(self) -> str:
        return self.memory.store.own_replica()

    @property
    def seen(self) -> Counts:
        return vector(self.memory.store)

    @property
    def peers(self) -> list[Peer]:
        return peers(self.memory.store)

    @property
    def retired(self) -> set[str]:
        return {peer.id for peer in self.peers if peer.retired_ms is not None}

    def held(self, keys: Sequence[str]) -> dict[str, tuple[Sibling, ...]]:
        """All siblings under these keys, expired ones too, every one checked; in one statement."""
        memory = self.memory
        found: dict[str, list[Sibling]] = {key: [] for key in keys}
        for path, name, field, *row in memory.store.engine.script(_SIBLINGS):
            key = _KEYS[path, name]
            opened = memory._reads.opened(path, name, [tuple(row)], field)
            found[key] += [one.sibling for one in opened]
        return {key: tuple(sorted(siblings)) for key, siblings in found.items()}

    def at(self, key: str) -> tuple[Sibling, ...]:
        return self.held(tuple(PLACES))[key]

    def put(
        self, key: str, text: bytes, ttl_ms: int | None, now_ms: int, context: Counts | None = None
    ) -> Sibling:
        self._at_time(now_ms)
        namespace, name = PLACES[key]
        if key == ELEMENT:
            dot = self.memory.add(namespace, name, RED)
        else:
            dot = self.memory.put(namespace, name, int(text), ttl_ms=ttl_ms or 0, ctx=context)
        return self._of(key, dot)

    def touch(self, key: str, ttl_ms: int | None, now_ms: int) -> Sibling | None:
        """None where there is nothing to extend, or the deadline would hardly move."""
        self._at_time(now_ms)
        try:
            dot = self.memory.touch(*PLACES[key], ttl_ms or 0)
        except NotFound:
            return None
        return None if dot is None else self._of(key, dot)

    def delete(self, key: str, now_ms: int, context: Counts | None = None) -> bool:
        self._at_time(now_ms)
        if key == ELEMENT:
            return self.memory.remove(*PLACES[key], RED)
        return self.memory.delete(*PLACES[key], ctx=context)

    def increment(self, by: int, _ttl_ms: int | None, now_ms: int) -> Sibling:
        self._at_time(now_ms)
        self.memory.increment(*PLACES[COUNTER], by)
        return self._newest()

    def reset(self, _ttl_ms: int | None, now_ms: int, start: int = 0) -> Sibling:
        self._at_time(now_ms)
        self.memory.set_counter(*PLACES[COUNTER], start)
        return self._newest()

    def heard_ms(self, now_ms: int) -> int:
        return heard_by(self.peers, now_ms)

    def sweep(self, now_ms: int) -> None:
        self._at_time(now_ms)
        store = self.memory.store
        drop_expired(store, [row.seq for row in expired(store, 99)], actor="sweep")

    def drop_log(self) -> None:
        drop_log(self.memory.store, keep_ms=0, actor="law")

    def meet(self, peer: str) -> None:
        """Nothing: it is met when it says what it has seen."""

    def retire(self, peer: str) -> None:
        known = {one.id: one for one in self.peers}
        retired = known.get(peer, Peer(peer))._replace(retired_ms=self.clock.now_ms())
        save_peer(self.memory.store, retired)

    def rejoin(self, their_seen: Counts, _fresh: str, now_ms: int) -> list[tuple[Sibling, Sibling]]:
        self._at_time(now_ms)
        before = self.held(tuple(PLACES))
        rejoin(self.memory.store, their_seen, actor="law")
        after = self.held(tuple(PLACES))
        return [
            (old, next(s for s in after[key] if s not in siblings and _same(s, old)))
            for key, siblings in before.items()
            for old in siblings
            if old not in after[key]
        ]

    def delta(self, known: Counts, now_ms: int, *, full: bool = False) -> Sent:
        self._at_time(now_ms)
        with outgoing(self.memory.store, known, full=full) as delta:
            head = delta.head
            return Sent(head.sender, head.sent_ms, tuple(delta.pages()), delta.sent)

    def acknowledge(self, peer: str, seen: Counts, sent: Sent) -> None:
        acknowledged(self.memory.store, peer, seen, sent=sent.told)

    def apply(self, delta: Sent, now_ms: int) -> bool:
        return self._take_in(delta.pages, now_ms, REFUSALS)

    def apply_pages(self, pages: Sequence[bytes], now_ms: int) -> bool:
        return self._take_in(pages, now_ms, (*REFUSALS, DeltaRefused))

    def state(self) -> tuple[Any, ...]:
        """What a refused delta must leave alone."""
        meta = self.memory.store.meta()
        return meta.sum, meta.rows, meta.seq, meta.hlc, meta.n, self.seen

    def _take_in(
        self, pages: Sequence[bytes], now_ms: int, refusals: tuple[type[Exception], ...]
    ) -> bool:
        self._at_time(now_ms)
        before = self.state()
        try:
            apply(self.memory.store, pages)
        except refusals:
            assert self.state() == before, "a refused delta changed the store"
            return False
        return True

    def _at_time(self, now_ms: int) -> None:
        self.clock.advance(now_ms - self.clock.now_ms())

    def _newest(self) -> Sibling:
        own = [s for s in self.at(COUNTER) if s.dot.replica == self.id]
        return max(own, key=lambda s: s.dot.n)

    def _of(self, key: str, dot: Dot) -> Sibling:
        (found,) = [s for s in self.at(key) if s.dot == dot]
        return found


def _same(one: Sibling, other: Sibling) -> bool:
    return one._replace(dot=other.dot, hlc=other.hlc) == other
