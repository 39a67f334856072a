"""Ghosts: that a record was pruned, and whether anybody has asked for it since.

A ghost holds the hash of a key, the rule and the plan; no value, no label. While it is there, the
last that happened at its path is that prune: whoever ends the path in another way (deletes,
sweeps, hears of either) takes the ghost along in the same transaction, and so does erasing. So
what a plan took can be brought back by its ghosts without doubt, and a miss at a path that
somebody has deleted on purpose regrets nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from xxhash import xxh3_64_intdigest

from memtend.limits import BATCH_MAX, SLICE_ROWS_MAX
from memtend.limits_upkeep import GHOST_KEEP_MS
from memtend.store.upkeep import save, sound

if TYPE_CHECKING:
    from memtend.store.engine import Row, Transaction
    from memtend.store.store import Store

PRUNED: Final = "pruned"
"""Why a record ended, in the change log."""


class Ghost(NamedTuple):
    """One row of the table `ghost`."""

    namespace: str
    digest: int
    rule: str
    plan: str
    at_ms: int
    reads: int = 0
    read_ms: int | None = None


def digest_of(key: str) -> int:
    """What stands for a key: 64 bits of its hash, as a signed integer."""
    return xxh3_64_intdigest(key.encode()) - 2**63


def at(store: Store, namespace: str, keys: Sequence[str]) -> dict[str, Ghost]:
    """The ghosts among these records, by key."""
    digests = {digest_of(key): key for key in keys}
    rows = store.engine.read("ghosts_at", (namespace, store.engine.array(list(digests))))
    return {digests[row[1]]: Ghost._make(row) for row in sound(rows)}


def missed_again(store: Store) -> Iterator[tuple[str, str]]:
    """Live records that were pruned once, asked for while they were gone, and are here again.

    Only namespaces where that has happened are looked at.
    """
    by_namespace: dict[str, set[int]] = {}
    for namespace, digest, *_ in sound(store.engine.read("ghosts_missed")):
        by_namespace.setdefault(namespace, set()).add(digest)
    for namespace, digests in by_namespace.items():
        ns, after = store.namespaces.find(namespace), ""
        while ns and (rows := store.engine.read("keys_of", (ns[0], after, BATCH_MAX))):
            yield from ((namespace, key) for (key,) in rows if digest_of(key) in digests)
            after = rows[-1][0]


def lay(tx: Transaction, logs: Iterable[Row]) -> None:
    """Take the ghosts of paths that have ended in another way, told by their log entries."""
    gone = {(digest_of(row[1]), row[0]) for row in logs if not row[2] and row[7] != PRUNED}
    if gone and tx.fetch("ghost_any"):
        tx.run_many("lay_ghost", sorted(gone))


def forget(store: Store, tx: Transaction, namespace: str, keys: Iterable[str]) -> None:
    """Of records that are erased."""
    digests = sorted(map(digest_of, keys))
    tx.run("drop_ghosts", (namespace, store.engine.array(digests)))


def drop_old(store: Store, archive_keep_ms: int) -> int:
    """Let go of ghosts whose time is over; how many. What was regretted stays in the totals.

    Without its ghost nothing is brought back, so they stay for longer where the archive keeps what
    is unused for longer; an object is found unused some time after the prune.
    """
    keep_ms = max(GHOST_KEEP_MS, 2 * archive_keep_ms)
    until, dropped = store.clock.now_ms() - keep_ms, 0
    after: tuple[str, int] = ("", 0)
    while rows := store.engine.read("old_ghosts", (*after, until, SLICE_ROWS_MAX)):
        with store.engine.write() as tx:
            for namespace, group in groupby(rows, key=itemgetter(0)):
                digests = store.engine.array([digest for _, digest in group])
                tx.run("drop_ghosts", (namespace, digests))
        after = rows[-1][0], rows[-1][1]
        dropped += len(rows)
    return dropped


def count_misses(store: Store, misses: Mapping[tuple[str, str], int]) -> None:
    """Write down which misses met a ghost. Where there are no ghosts, it is one short read."""
    if not misses or not store.engine.read("ghost_any"):
        return
    by_namespace: dict[str, dict[str, int]] = {}
    for (namespace, key), count in misses.items():
        by_namespace.setdefault(namespace, {})[key] = count
    for namespace, counts in sorted(by_namespace.items()):
        keys = sorted(counts)
        for start in range(0, len(keys), BATCH_MAX):
            page = keys[start : start + BATCH_MAX]
            if at(store, namespace, page):
                _count(store, namespace, {digest_of(key): counts[key] for key in page}, page)


def _count(store: Store, namespace: str, counts: Mapping[int, int], keys: list[str]) -> None:
    now_ms, array = store.clock.now_ms(), store.engine.array
    ns = store.namespaces.find(namespace)
    with store.engine.write() as tx:
        rows = tx.fetch("ghosts_at", (namespace, array(list(counts))))
        # What was written again since, and has expired, is not missed for having been pruned.
        again = tx.fetch("keys_left", (ns[0], array(keys))) if ns else []
        here = {digest_of(key) for (key,) in again}
        met = [ghost for ghost in map(Ghost._make, sound(rows)) if ghost.digest not in here]
        grown: dict[str, tuple[int, int]] = {}
        for ghost in met:
            first, reads = grown.get(ghost.rule, (0, 0))
            grown[ghost.rule] = (first + (not ghost.reads), reads + counts[ghost.digest])
        save(
            tx,
            "ghost",
            [g._replace(reads=g.reads + counts[g.digest], read_ms=now_ms) for g in met],
        )
        regret(store, tx, {(rule, namespace): (0, *more) for rule, more in grown.items()})


def regret(
    store: Store, tx: Transaction, grown: Mapping[tuple[str, str], tuple[int, int, int]]
) -> None:
    """Add to how many a rule has pruned from a namespace, how many were missed, and how often."""
    namespaces = store.engine.array(sorted({namespace for _, namespace in grown}))
    rows = sound(tx.fetch("regrets_in", (namespaces,)))
    had = {(rule, namespace): tuple(sums) for rule, namespace, *sums in rows}
    added = []
    for place, more in grown.items():
        before = had.get(place, (0, 0, 0))
        added.append((*place, *(old + new for old, new in zip(before, more, strict=True))))
    save(tx, "regret", added)
