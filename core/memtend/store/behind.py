"""What is written behind for learning and for figures alone: latencies, the sample of accesses.

On a full disk, on a damaged one, or while a writer does not let go for long, it is given up: none
of it is worth an error of whoever only wanted to read.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from memtend.errors import MemtendError

if TYPE_CHECKING:
    from memtend.store.store import Store


def write_behind(store: Store) -> None:
    """All that was counted and noted so far: usually one transaction."""
    counts, (noted, *more) = store.latencies.taken(), store.accesses.taken() or [{}]
    with suppress(MemtendError):
        if counts or noted:
            with store.engine.write() as tx:
                if noted:  # first: it takes the lock under which all writers queue
                    store.accesses.write(tx, noted)
                store.latencies.write(tx, counts)
        for part in more:
            with store.engine.write() as tx:
                store.accesses.write(tx, part)
