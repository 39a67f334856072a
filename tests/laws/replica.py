"""A whole replica in memory (CRDT_SPEC 4 to 6), built from the pure rules of one key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from memtend.crdt import hlc, rows
from memtend.crdt.causal import Dot, descends, join
from memtend.crdt.rows import Sibling
from tests.laws.deltas import Counts, Delta, Page, Path
from tests.laws.rules import Rules

__all__ = ["COUNTER", "Counts", "Delta", "Replica", "Rules"]

COUNTER = "n"
_NOTHING = Path((), (), {})


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
    met: set[str] = field(default_factory=set)
    retired: set[str] = field(default_factory=set)

    def copy(self, new_id: str) -> Replica:
        """A restored copy; states are replaced and never changed, so a shallow copy is whole."""
        parts = dict(self.seen), dict(self.rows), dict(self.log), self.floor, self.high
        return Replica(
            new_id, self.rules, *parts, dict(self.heard), set(self.met), set(self.retired)
        )

    def at(self, key: str) -> tuple[Sibling, ...]:
        return self.rows.get(key, ())

    def held(self, keys: Sequence[str]) -> dict[str, tuple[Sibling, ...]]:
        return {key: self.at(key) for key in keys}

    def put(
        self, key: str, text: bytes, ttl_ms: int | None, now_ms: int, context: Counts | None = None
    ) -> Sibling:
        dot, stamp = self._mint(now_ms)
        new = Sibling(dot, stamp, _deadline(stamp, ttl_ms), text)
        self._store(key, (*self.rules.kept_by_write(self.at(key), context), new))
        return new

    def delete(self, key: str, now_ms: int, context: Counts | None = None) -> bool:
        """False, and nothing happens, where all that would go has expired already."""
        kept = self.rules.kept_by_delete(self.at(key), context)
        if not any(rows.is_visible(s, now_ms) for s in self.at(key) if s not in kept):
            return False
        dot, _ = self._mint(now_ms)
        self._store(key, kept)
        self.log[key] = self.rules.logged(self.log.get(key, {}), [dot])
        return True

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

    def reset(self, ttl_ms: int | None, now_ms: int, start: int = 0) -> Sibling:
        dot, stamp = self._mint(now_ms)
        exp_ms = _deadline(stamp, ttl_ms)
        new, kept = self.rules.reset(
            self.at(COUNTER), dot=dot, hlc=stamp, exp_ms=exp_ms, start=start
        )
        self._store(COUNTER, (*kept, new))
        return new

    def heard_ms(self, now_ms: int) -> int:
        """When the last of the living replicas known here was heard from, by its own clock."""
        waited = {*self.seen, *self.heard, *self.met} - self.retired - {self.id}
        return min((self.heard.get(peer, 0) for peer in waited), default=now_ms)

    def sweep(self, now_ms: int) -> None:
        heard_ms = self.heard_ms(now_ms)
        for key, siblings in list(self.rows.items()):
            gone = self.rules.swept(siblings, now_ms, heard_ms)
            if gone:
                self._store(key, tuple(s for s in siblings if s not in gone))
                dots = [s.dot for s in gone]
                if self.rules.tells(gone):
                    dots.append(self._mint(now_ms)[0])
                self.log[key] = self.rules.logged_sweep(self.log.get(key, {}), dots)

    def drop_log(self) -> None:
        for entry in self.log.values():
            self.floor = self.rules.floor_after_drop(self.floor, entry)
        self.log = {}

    def meet(self, peer: str) -> None:
        """It answered; from now on it is waited for."""
        self.met.add(peer)

    def retire(self, peer: str) -> None:
        """Wait for it no more, and hear it no more under this id."""
        self.retired.add(peer)

    def rejoin(self, their_seen: Counts, fresh: str, now_ms: int) -> list[tuple[Sibling, Sibling]]:
        """Go on under a new id; own writes that they never saw become events of that (7.2).

        A write keeps its time and its deadline: coming back late makes no value newer.
        """
        old = self.id
        offered: list[tuple[Sibling, Sibling]] = []
        self.id = self.rules.id_after_rejoin(old, fresh)
        for key, siblings in list(self.rows.items()):
            unsent = [s for s in siblings if self.rules.is_unsent(s, old, their_seen)]
            reborn = {s: self.rules.reborn(s, self._mint(now_ms)[0]) for s in unsent}
            self._store(key, tuple(t for s in siblings for t in reborn.get(s, (s,))))
            offered += [(s, t) for s, again in reborn.items() for t in again]
        return offered

    def delta(self, known: Counts, now_ms: int, *, full: bool = False) -> Delta:
        full = full or not descends(known, self.floor)
        keys = {
            key: self.rules.sent_path(self.at(key), self.log.get(key, {}), known)
            for key in {*self.rows, *self.log}
            if full or rows.is_news(self.at(key), self.log.get(key, {}), known)
        }
        sent = self.rules.sent_vector(self)
        floor = dict(self.floor) if full else {}
        return Delta(self.id, sent, dict(known), full, keys, floor, self.high, now_ms)

    def apply_pages(self, pages: Sequence[Page], now_ms: int) -> bool:
        delta = self.rules.whole(pages)
        return delta is not None and self.apply(delta, now_ms)

    def apply(self, delta: Delta, now_ms: int) -> bool:
        """Take in all of a delta, or refuse all of it."""
        rules = self.rules
        if rules.is_ahead(delta, now_ms) or rules.is_retired(self, delta):
            return False
        if rules.has_gap(self.seen, delta):
            return False
        self.high = hlc.tick(max(self.high, delta.hlc), now_ms)
        for key in {*delta.keys, *rules.unnamed(self, delta)}:
            path = delta.keys.get(key, _NOTHING)
            theirs = rules.filled(path, self.at(key))
            self._store(key, rules.merge(self.at(key), self.seen, theirs, delta.seen))
            merged = rules.merge_log(self.log.get(key, {}), path.log, self.seen)
            if merged:
                self.log[key] = merged
        if delta.full:
            self.log = rules.log_after_full(self.log, delta)
        self.seen = join(self.seen, delta.seen)
        self.floor = rules.floor_after_delta(self.floor, delta)
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


def _deadline(stamp: int, ttl_ms: int | None) -> int | None:
    return None if ttl_ms is None else hlc.millis(stamp) + ttl_ms
