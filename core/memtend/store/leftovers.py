"""What is left over in a store, that belongs to nothing any more, and how it goes.

Tags and counts of reads whose record is gone, totals of agents and sessions that have nothing,
dictionaries that no row needs. Ids of namespaces stay for good: other processes remember them.

A dictionary goes a week after the next one of its kind was trained, so that nobody is still writing
with it, and only if no row names it: those that were there before are read without a lock, those
that came meanwhile under it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import ormsgpack

from memtend.codec.envelope import Body
from memtend.limits import PLAN_DECISIONS_MAX
from memtend.limits_upkeep import DICTIONARY_KEEP_MS
from memtend.store.meta import Meta

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.engine import Row
    from memtend.store.store import Store

ROWS: Final = {
    "tags of no record": ("left_tags", "drop_left_tag"),
    "counted reads of no record": ("left_reads", "drop_left_read"),
    "totals of nobody": ("left_totals", "drop_left_total"),
}
"""By what they are called: how they are found, and how one of them goes."""
DICTIONARIES: Final = "dictionaries that no value needs"
_DICTIONARY: Final = Body._fields.index("dictionary") + 1


def left(store: Store, what: str, limit: int = PLAN_DECISIONS_MAX) -> list[Row]:
    """Rows of one sort, at most so many."""
    return store.engine.read(ROWS[what][0], (limit,))


def drop(store: Store, what: str, rows: Iterable[Row], *, lease: Lease) -> None:
    """Drop those that still belong to nothing."""
    with store.change("optimize", (), lease) as (change, _):
        change.tx.run_many(ROWS[what][1], rows)


def unneeded(store: Store) -> tuple[list[int], int]:
    """Dictionaries that may go, and up to which change that was looked at."""
    until = store.clock.now_ms() - DICTIONARY_KEEP_MS
    old = {number for number, next_ms in store.engine.read("old_dictionaries") if next_ms <= until}
    if not old:
        return [], 0
    with store.engine.snapshot() as reader:
        upto = Meta.of(reader.fetch("meta"), store.url).seq
        used = _used(reader.stream("stream_dictionary_use", (0,)))
    return ([] if used is None else sorted(old - used)), upto


def drop_dictionaries(store: Store, numbers: Iterable[int], upto: int, *, lease: Lease) -> int:
    """Drop those that no row needs that came after `upto` either; how many went."""
    with store.change("optimize", (), lease) as (change, _):
        since = change.tx.fetch("stream_dictionary_use", (upto,))
        used = _used(since)
        going = set() if used is None else set(numbers) - used
        for number in sorted(going):
            change.tx.run("drop_dictionary", (number,))
        if going:
            change.config += 1
            change.note("dictionary", f"{len(going)} that no value needs are gone")
    return len(going)


def _used(rows: Iterable[Row]) -> set[int] | None:
    """None where a damaged row cannot say which one it needs: then it may be any."""
    try:
        return {ormsgpack.unpackb(body)[_DICTIONARY] for (body,) in rows}
    except (ValueError, TypeError, LookupError):
        return None
