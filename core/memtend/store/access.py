"""What reading writes: access counts, sliding deadlines, expired leftovers. All of it behind.

A read only notes the key in memory. The notes are written in one transaction when they are many,
at maintenance, or at close; a crash loses counts, never records.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from memtend.limits import ACCESS_BUFFER_MAX, BATCH_MAX
from memtend.store.accesslog import Counts
from memtend.store.meta import crc_of

if TYPE_CHECKING:
    from memtend.store.config import Config
    from memtend.store.engine import Transaction
    from memtend.store.store import Store

Place = tuple[str, str]
Read = tuple[int, int]
"""How many more reads, and when the last one was."""


class AccessBuffer:
    """Reads not yet written, per `(namespace, key)`. Threads share it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self.counts = Counts(store.accesses)
        self.leftovers: set[Place] = set()
        self.misses: dict[Place, int] = {}
        self.limit = ACCESS_BUFFER_MAX

    @property
    def is_filled(self) -> bool:
        return bool(self.counts or self.leftovers or self.misses)

    def miss(self, place: Place, *, leftover: bool) -> bool:
        """Note that nothing was found; `leftover`: an expired row may be. True if it is time to
        flush."""
        self.misses[place] = self.misses.get(place, 0) + 1
        self._store.accesses.missed(place)
        if leftover:
            self.leftovers.add(place)
        return len(self.misses) > self.limit

    def flush(self, config: Config) -> tuple[list[Place], set[Place]]:
        """Write the counts; returns records whose deadline slides, and expired keys met."""
        with self._lock:
            counts, self.counts = self.counts, Counts(self._store.accesses)
            stale, self.leftovers = self.leftovers, set()
            misses, self.misses = self.misses, {}
        # Copied at one stroke: a reader in another thread may still be counting in the old ones.
        read, stale, misses = counts.copy(), stale.copy(), misses.copy()
        by_namespace: dict[str, dict[str, int]] = {}
        for (namespace, key), count in read.items():
            by_namespace.setdefault(namespace, {})[key] = int(count)
        for namespace, keys in by_namespace.items():
            ns = self._store.namespaces.find(namespace)
            if ns is not None:
                names = list(keys)
                for start in range(0, len(names), BATCH_MAX):
                    self._write(ns[0], {key: keys[key] for key in names[start : start + BATCH_MAX]})
        if misses:
            from memtend.store.ghosts import count_misses  # noqa: PLC0415 — most reads find something

            count_misses(self._store, misses)
        return [place for place in read if config.policy(*place).refresh_on_read], stale

    def _write(self, ns: int, counts: dict[str, int]) -> None:
        engine, now_ms = self._store.engine, self._store.clock.now_ms()
        with engine.write() as tx:
            names = engine.array(sorted(counts))
            # What is gone by now must not leave its name here: it may have been erased.
            here = {key for (key,) in tx.fetch("keys_left", (ns, names))}
            reads = {key: (counts[key], now_ms) for key in sorted(here & counts.keys())}
            add_reads(tx, ns, engine.array(list(reads)), reads)


def add_reads(tx: Transaction, ns: int, keys: Any, reads: Mapping[str, Read]) -> None:
    """Add to the counts of records that are there. `keys` are those of `reads`, as an array."""
    before = {key: (count, at_ms) for key, count, at_ms, _ in tx.fetch("accesses", (ns, keys))}
    rows = []
    for key, (count, at_ms) in reads.items():
        had, last_ms = before.get(key, (0, 0))
        row = (ns, key, had + count, max(last_ms, at_ms))
        rows.append((*row, crc_of(row)))
    tx.run_many("access", rows)
