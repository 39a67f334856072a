"""The small places that name what was erased: operations, totals, figures, grants, namespaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

import orjson

from memtend.store import prunings
from memtend.store.erasing import ACTOR
from memtend.store.figured import gone
from memtend.store.interned import tombstone_of

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.engine import Reader
    from memtend.store.store import Store

_PAGE: Final = 1_000


def forget_operations(
    store: Store, events: Mapping[int, set[int]], names: Callable[[str], bool], lease: Lease
) -> int:
    """Forget operations that wrote one of these events, or whose id itself gives a name away."""
    count = 0
    dots = {store.replicas.id(number): ns for number, ns in events.items()}
    for page in _operations(store.engine.read):
        found = [
            op_id
            for op_id, result in page
            if names(op_id) or any(n in dots.get(r, ()) for r, n in orjson.loads(result))
        ]
        if found:
            with store.change(ACTOR, lease=lease) as (change, _):
                change.tx.run_many("forget_op", [(op_id,) for op_id in found])
        count += len(found)
    return count


def naming_operations(reader: Reader, names: Callable[[str], bool]) -> int:
    return sum(names(op_id) for page in _operations(reader.fetch) for op_id, _ in page)


def _operations(read: Callable[..., list[tuple[str, ...]]]) -> Iterator[list[tuple[str, ...]]]:
    after = ""
    while rows := read("ops", (after, _PAGE)):
        yield rows
        after = rows[-1][0]


def close_namespaces(store: Store, key: bytes, paths: Iterable[str], lease: Lease) -> int:
    """Put a tombstone in the place of each path under which nothing is left; returns how many.

    What was pruned there is forgotten with it, unless some of it may still be brought back. Other
    processes notice by `config` before their next write.
    """
    count = 0
    forgotten = []
    with store.change(ACTOR, lease=lease) as (change, _):
        tx = change.tx
        for path in paths:
            for number, _ in tx.fetch("namespace", (path,)):
                if not tx.fetch("in_use", (number,)):
                    tombstone = tombstone_of(key, path)
                    tx.run("rename_namespace", (tombstone, number))
                    tx.run("drop_tally", ("ns", path))
                    tx.run("tally", ("ns", tombstone, 0, 0))
                    count += 1
                    if not tx.fetch("ghost_in", (path,)):
                        forgotten.append(path)
        if forgotten:
            prunings.forget_namespaces(tx, forgotten)
        tx.run("forget_empty")
        tx.run_many("drop_series", [(series,) for series in gone(tx)[0]])
        change.config += bool(count)
    store.namespaces.load()
    return count


def revoke_grants(store: Store, agent: str, lease: Lease) -> tuple[int, int]:
    """Drop what an agent was granted, unless nothing else is: without any grant, all may do all.

    Returns how many were dropped and how many stay.
    """
    with store.change(ACTOR, [("grants", ())], lease) as (change, [rows]):
        own = [row for row in rows if row[0] == agent]
        if not own or len(own) == len(rows):
            return 0, len(own)
        for _, pattern, *_ in own:
            change.tx.run("revoke", (agent, pattern))
        change.config += 1
    return len(own), 0
