"""How many keys hold concurrent values, at a cost that does not grow with the store."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from memtend.limits import CONFLICTS_MAX
from memtend.limits_upkeep import HEALTH_CHANGES, HEALTH_CROWD_ROWS
from memtend.store.conflicts import contested_in

if TYPE_CHECKING:
    from memtend.store.config import Config
    from memtend.store.reads import Reads
    from memtend.store.store import Store


class Crowd(NamedTuple):
    """How many keys and fields have several values (counted up to `CONFLICTS_MAX`), and the most
    that one has. `sampled`: of those among the newest changes alone."""

    keys: int
    most: int
    sampled: bool = False


def crowded(store: Store, config: Config, reads: Reads) -> Crowd:
    """All are counted where contested namespaces are small; else only the newest changes are looked
    at, for a crowd grows at its newest end."""
    [(contested,)] = store.engine.read("contested_rows")
    if contested <= HEALTH_CROWD_ROWS:
        found = (
            one
            for namespace in store.namespaces.load()
            for one in contested_in(store, config, reads, namespace, strays=False)
        )
        sizes = [len(one.seen) for one in islice(found, CONFLICTS_MAX)]
        return Crowd(len(sizes), max(sizes, default=0))
    last = store.meta().seq
    rows = store.engine.read("crowds", (last - HEALTH_CHANGES, last))
    # A key is named by each of its siblings that is new, and counted once.
    known = {(ns, key, field): int(size) for ns, key, field, size in rows}
    return Crowd(len(known), max(known.values(), default=0), sampled=True)


def conflicts_since(store: Store, seq: int) -> int:
    """Keys written after change `seq` that have more than one sibling now."""
    [(count,)] = store.engine.read("conflicts_since", (seq,))
    return int(count)
