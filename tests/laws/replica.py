"""A whole replica in memory (CRDT_SPEC 4 to 6), built from the pure rules of one key.

`Rules` collects every rule a replica follows, so that a test can plant a defect in one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from memtend.crdt import hlc, rows, tally
from memtend.crdt.causal import Dot, descends, join
from memtend.crdt.rows import RowKind, Sibling

Counts = dict[str, int]
COUNTER = "n"


class Rules:
    """The rules as they must be."""

    merge = staticmethod(rows.merge)
    kept_by_write = staticmethod(rows.kept_by_write)
    increment = staticmethod(tally.increment)
    reset = staticmethod(tally.reset)
    logged = staticmethod(rows.logged)
    logged_sweep = staticmethod(rows.logged)
    merge_log = staticmethod(rows.merge_log)

    def swept(
        self, siblings: tuple[Sibling, ...], now_ms: int, heard_ms: int
    ) -> tuple[Sibling, ...]:
        return rows.swept(siblings, now_ms, heard_ms)

    def sent_vector(self, replica: Replica) -> Counts:
        return dict(replica.seen)

    def floor_after_drop(self, floor: Counts, log: Counts) -> Counts:
        return join(floor, log)

    def has_gap(self, seen: Counts, since: Counts) -> bool:
        return not descends(seen, since)

    def id_after_restore(self, old: str, fresh: str) -> str:
        return fresh


class Delta(NamedTuple):
    sender: str
    seen: Counts
    since: Counts
    full: bool
    keys: dict[str, tuple[tuple[Sibling, ...], Counts]]
    floor: Counts
    hlc: int
    sent_ms: int


@dataclass
class Replica:
    id: str
    rules: Rules
    seen: Counts = field(default_factory=dict)
    rows: dict[str, tuple[Sibling, ...]] = field(default_factory=dict)
    log: dict[str, Counts] = field(default_factory=dict)
    floor: Counts = field(default_factory=dict)
    high: int = 0
    heard: Counts = field(default_factory=dict)

    def copy(self, new_id: str) -> Replica:
        """A restored copy; states are replaced and never changed, so a shallow copy is whole."""
        parts = dict(self.seen), dict(self.rows), dict(self.log), self.floor, self.high
        return Replica(new_id, self.rules, *parts, dict(self.heard))

    def at(self, key: str) -> tuple[Sibling, ...]:
        return self.rows.get(key, ())

    def put(
        self, key: str, text: bytes, ttl_ms: int | None, now_ms: int, context: Counts | None = None
    ) -> Sibling:
        dot, stamp = self._mint(now_ms)
        new = Sibling(dot, stamp, _deadline(stamp, ttl_ms), text)
        self._store(key, (*self.rules.kept_by_write(self.at(key), context), new))
        return new

    def delete(self, key: str, now_ms: int) -> None:
        dot, _ = self._mint(now_ms)
        self._store(key, self.rules.kept_by_write(self.at(key), None))
        self.log[key] = self.rules.logged(self.log.get(key, {}), [dot])

    def increment(self, by: int, ttl_ms: int | None, now_ms: int) -> Sibling:
        dot, stamp = self._mint(now_ms)
        new, kept = self.rules.increment(
            self.at(COUNTER),
            by,
            dot=dot,
            hlc=stamp,
            exp_ms=_deadline(stamp, ttl_ms),
            now_ms=now_ms,
            was_here=COUNTER in self.log,
        )
        self._store(COUNTER, (*kept, new))
        return new

    def reset(self, ttl_ms: int | None, now_ms: int) -> Sibling:
        dot, stamp = self._mint(now_ms)
        exp_ms = _deadline(stamp, ttl_ms)
        new, kept = self.rules.reset(self.at(COUNTER), dot=dot, hlc=stamp, exp_ms=exp_ms)
        self._store(COUNTER, (*kept, new))
        return new

    def sweep(self, now_ms: int, peers: set[str]) -> None:
        heard_ms = min((self.heard.get(peer, 0) for peer in peers - {self.id}), default=now_ms)
        for key, siblings in list(self.rows.items()):
            gone = self.rules.swept(siblings, now_ms, heard_ms)
            if gone:
                self._store(key, tuple(s for s in siblings if s not in gone))
                dots = [s.dot for s in gone]
                self.log[key] = self.rules.logged_sweep(self.log.get(key, {}), dots)

    def drop_log(self) -> None:
        for entry in self.log.values():
            self.floor = self.rules.floor_after_drop(self.floor, entry)
        self.log = {}

    def delta(self, known: Counts, now_ms: int) -> Delta:
        full = not descends(known, self.floor)
        keys = {
            key: (self.at(key), self.log.get(key, {}))
            for key in {*self.rows, *self.log}
            if full or rows.is_news(self.at(key), self.log.get(key, {}), known)
        }
        sent = self.rules.sent_vector(self)
        floor = dict(self.floor) if full else {}
        return Delta(self.id, sent, dict(known), full, keys, floor, self.high, now_ms)

    def apply(self, delta: Delta, now_ms: int) -> bool:
        """Take in all of a delta, or refuse all of it."""
        if not delta.full and self.rules.has_gap(self.seen, delta.since):
            return False
        self.high = hlc.receive(self.high, delta.hlc, now_ms)
        for key in {*delta.keys, *(self.rows if delta.full else ())}:
            theirs, log = delta.keys.get(key, ((), {}))
            self._store(key, self.rules.merge(self.at(key), self.seen, theirs, delta.seen))
            merged = self.rules.merge_log(self.log.get(key, {}), log, self.seen)
            if merged:
                self.log[key] = merged
        self.seen = join(self.seen, delta.seen)
        self.floor = join(self.floor, delta.floor)
        self.heard[delta.sender] = max(self.heard.get(delta.sender, 0), delta.sent_ms)
        return True

    def _mint(self, now_ms: int) -> tuple[Dot, int]:
        self.high = hlc.tick(self.high, now_ms)
        dot = Dot(self.id, self.seen.get(self.id, 0) + 1)
        self.seen = {**self.seen, self.id: dot.n}
        return dot, self.high

    def _store(self, key: str, siblings: tuple[Sibling, ...]) -> None:
        if siblings:
            self.rows[key] = siblings
        else:
            self.rows.pop(key, None)


def kind_of(key: str) -> RowKind:
    return RowKind.COUNTER if key == COUNTER else RowKind.PLAIN


def _deadline(stamp: int, ttl_ms: int | None) -> int | None:
    return None if ttl_ms is None else hlc.millis(stamp) + ttl_ms
