"""A sample of accesses, from which is learned how long to keep what.

A key is in the sample if the hash of its path lies below a bound, so of a key all accesses are here
or none, and the time between two of them is the true one (spatially hashed sampling: Waldspurger et
al., SHARDS, FAST 2015). When the sample is full the bound halves, and keys that fall out go with
all their accesses: at any time the share of keys that are in is known exactly.

Rows are kept in memory and written behind (`behind`); a crash loses some, a fork none twice, and
two threads at the same instant one. Of several accesses of one sort within a second one is kept.
No row holds a name or a value: what is erased before it was written never gets here, and
`forget` takes the rest out.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from xxhash import xxh3_64_intdigest

from memtend.limits_learning import (
    ACCESS_BUFFER_ROWS,
    ACCESS_HALVINGS,
    ACCESS_KEEP_MS,
    ACCESS_ROWS_MAX,
    ACCESS_SLICE,
    ACCESS_SMALL_STORE,
    ACCESS_STEP_MS,
)
from memtend.store.behind import write_behind
from memtend.store.engine import survives_fork
from memtend.store.meta import Meta
from memtend.store.sampled import (
    HALVINGS_MAX,
    MISS,
    NOBODY,
    READ,
    WRITE,
    Sample,
    below,
    digest_from,
    digest_of,
    hash_of,
)

if TYPE_CHECKING:
    from memtend.store.access import Place
    from memtend.store.accessed import Events
    from memtend.store.engine import Transaction
    from memtend.store.store import Store

Noted = dict["Place", "Events"]
"""What was noted of each path."""
_STEP_NS: Final = ACCESS_STEP_MS * 1_000_000


class Heard:
    """Reads of a key that is in the sample: a number that is told of each time it grows by one."""

    __slots__ = ("_count", "_due_ns", "_log", "_now_ns", "_place")

    def __init__(self, log: AccessLog, place: Place) -> None:
        self._log, self._place, self._now_ns = log, place, log.now_ns
        self._count, self._due_ns = 0, 0

    def __iadd__(self, more: int) -> Heard:
        self._count += more
        now_ns = self._now_ns()
        if now_ns >= self._due_ns:
            self._due_ns = now_ns + _STEP_NS
            self._log.add(self._place, now_ns, READ)
        return self

    def __int__(self) -> int:
        return self._count


class Counts(dict["Place", Any]):
    """Reads by path. Whether a path is in the sample is asked at its first read alone, so that
    others cost nothing more."""

    __slots__ = ("_log",)

    def __init__(self, log: AccessLog) -> None:
        super().__init__()
        self._log = log

    def __missing__(self, place: Place) -> int | Heard:
        # As `hash_of` does it: a call more would be felt here.
        if xxh3_64_intdigest("\0".join(place).encode()) >= self._log.below:
            return 0
        return Heard(self._log, place)


class AccessLog:
    """Of one open store. Threads share it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.now_ns = store.clock.monotonic_ns
        self._lock = threading.Lock()
        self._noted: list[tuple[Place, int, int]] = []
        """Where, when on the clock that is quickest to read, and what it was."""
        self._on = False
        self.below = NOBODY
        """Paths whose hash is below are in the sample."""
        self.rows_max = ACCESS_ROWS_MAX
        survives_fork(self)

    def foresee(self) -> None:
        """Nothing has to be known of the parent."""

    def abandon(self) -> None:
        """In a forked child: what the parent has noted, the parent writes."""
        self._lock, self._noted = threading.Lock(), []

    @property
    def is_filled(self) -> bool:
        return bool(self._noted)

    def adopt(self, learning: Mapping[str, Any], sample: str | None) -> None:
        """Take over what the policy file and the setting of the sample say."""
        self.rows_max = learning.get("accesses_max", ACCESS_ROWS_MAX)
        self._on = learning.get("accesses", True)
        self._follow(Sample.of(sample))

    def add(self, place: Place, at_ns: int, what: int) -> None:
        """Of a key that is in the sample."""
        noted = self._noted
        noted.append((place, at_ns, what))
        if len(noted) > ACCESS_BUFFER_ROWS:
            write_behind(self._store)

    def missed(self, place: Place) -> None:
        """Nothing was there for a reader."""
        if hash_of(place) < self.below:
            self.add(place, self.now_ns(), MISS)

    def wrote(self, places: Iterable[Place]) -> None:
        limit = self.below
        if limit == NOBODY:
            return
        if found := [place for place in places if hash_of(place) < limit]:
            now_ns = self.now_ns()
            for place in found:
                self.add(place, now_ns, WRITE)

    def taken(self) -> list[Noted]:
        """What was noted so far, in parts of a transaction each; from now on somebody else's to
        write."""
        with self._lock:
            found, self._noted = self._noted, []
        if not found:
            return []
        clock = self._store.clock
        began_ns = clock.now_ms() * 1_000_000 - clock.monotonic_ns()
        # Copied at one stroke: another thread may still be adding to the old one.
        noted = _by_place(found.copy(), began_ns, self.below)
        places = sorted(noted)
        return [
            {place: noted[place] for place in places[start : start + ACCESS_SLICE]}
            for start in range(0, len(places), ACCESS_SLICE)
        ]

    def write(self, tx: Transaction, noted: Noted) -> None:
        """Put what was noted with the sample, and halve it as long as it is too large.

        A store that has grown beyond some thousand records is sampled more thinly at once.
        """
        from memtend.store.accessed import known_rows  # noqa: PLC0415 — most keys are in no sample
        from memtend.store.upkeep import save as save_rows  # noqa: PLC0415

        store = self._store
        meta = Meta.of(tx.fetch("meta_locked"), store.url)
        before = Sample.now(tx)
        least = ACCESS_HALVINGS if meta.rows >= ACCESS_SMALL_STORE else 0
        halvings = max(before.halvings, least)
        limit = below(halvings)
        inside = {place: events for place, events in noted.items() if hash_of(place) < limit}
        rows = [(*row, halvings) for row in known_rows(store, tx, inside)]
        save_rows(tx, "access_log", rows)
        sample = Sample(halvings, before.rows + len(rows))
        if halvings > before.halvings:
            sample = _halved(tx, sample)
        if sample.rows > self.rows_max:  # it counts rows twice that were erased, or came twice
            sample = sample._replace(rows=_count(tx))
        while sample.rows > self.rows_max and sample.halvings < HALVINGS_MAX:
            sample = _halved(tx, sample._replace(halvings=sample.halvings + 1))
        if sample != before:
            sample.save(tx)
        self._follow(sample)

    def _follow(self, sample: Sample) -> None:
        """Note what everybody notes who has this store open."""
        self.below = below(sample.halvings) if self._on else NOBODY


def tidy(store: Store, learning: Mapping[str, Any]) -> None:
    """Let go of what is too old, of what a clock that ran ahead has noted for as long from now, and
    of everything where the policy file wants no sample.

    A sample that is empty begins anew, with all keys that a store of this size can have in it.
    """
    keep_ms = learning.get("accesses_keep_ms", ACCESS_KEEP_MS)
    now_ms = store.clock.now_ms()
    with store.engine.write() as tx:
        tx.fetch("meta_locked")
        before = Sample.now(tx)
        if learning.get("accesses", True):
            tx.run("drop_accesses_beyond", (now_ms - keep_ms, now_ms + keep_ms))
        else:
            tx.run("drop_accesses_from", (digest_from(NOBODY),))
        rows = _count(tx)
        sample = Sample(before.halvings if rows else 0, rows)
        if sample != before:
            sample.save(tx)


def forget(store: Store, tx: Transaction, namespace: str, ns: int, keys: Iterable[str]) -> None:
    """Of records that are erased."""
    digests = sorted(digest_of((namespace, key)) for key in keys)
    tx.run("drop_accesses_of", (store.engine.array(digests), ns))


def _by_place(noted: list[tuple[Place, int, int]], began_ns: int, limit: int) -> Noted:
    """What was noted of each path that is in the sample, in order of time; of one sort at most one
    within a second."""
    found: Noted = {}
    for place, at_ns, what in sorted(noted, key=itemgetter(1)):
        if hash_of(place) < limit:
            at_ms = (began_ns + at_ns) // 1_000_000
            events = found.setdefault(place, [])
            last = next((at for at, of in reversed(events) if of == what), None)
            if last is None or at_ms - last >= ACCESS_STEP_MS:
                events.append((at_ms, what))
    return found


def _halved(tx: Transaction, sample: Sample) -> Sample:
    """Without the keys that are no longer in it."""
    tx.run("drop_accesses_from", (digest_from(below(sample.halvings)),))
    return sample._replace(rows=_count(tx))


def _count(tx: Transaction) -> int:
    return int(tx.fetch("count_accesses")[0][0])
