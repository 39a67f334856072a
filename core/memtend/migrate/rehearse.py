"""Looking at a copy on which a migration was rehearsed: everything is as it was, but for the values
that the plan names, and each of these leads back to exactly what it was.

Both looks are snapshots of the same database, one from before the run and one from after it. They
are read side by side, path by path, in flat memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, zip_longest
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import ormsgpack

from memtend.errors import RehearsalFailed
from memtend.limits import FINDINGS_MAX
from memtend.migrate.casting import Backward, Move, without_stale
from memtend.store.recasting import Aged, kept_of, opened

if TYPE_CHECKING:
    from memtend.store.engine import Reader, Row
    from memtend.store.store import Store

_NOTHING: Final[tuple[Any, list[Row]]] = (None, [])


class Copied(NamedTuple):
    """How a copy compares with the live store: rows alike, and rows that have changed since."""

    alike: int
    changed: int
    missing: tuple[int, ...]
    """Rows that the live store has and the copy has not: only damaged ones may be missing."""


class Compared(NamedTuple):
    """How many rows stayed, byte by byte, and how many were moved and lead back."""

    untouched: int
    moved: int


def compare_copy(live: Reader, copy: Reader, basis: int) -> Copied:
    """Row hashes by number, up to the basis of the plan; raises where one row is two things."""
    alike = changed = 0
    missing: list[int] = []
    mine, theirs = (iter(one.stream("row_hashes", (basis,))) for one in (live, copy))
    here, there = next(mine, None), next(theirs, None)
    while here is not None or there is not None:
        if there is None or (here is not None and here[0] < there[0]):
            assert here is not None
            missing.append(here[0])
            if len(missing) > FINDINGS_MAX:
                raise RehearsalFailed(why=f"{len(missing):,} rows are not in the restored copy")
            here = next(mine, None)
        elif here is None or there[0] < here[0]:
            changed += 1
            there = next(theirs, None)
        else:
            if here[1] != there[1]:
                raise RehearsalFailed(why=f"row {here[0]} is another one in the restored copy")
            alike += 1
            here, there = next(mine, None), next(theirs, None)
    return Copied(alike, changed, tuple(missing))


def compare_run(store: Store, before: Reader, after: Reader, back: Backward) -> Compared:
    """Hold the state after a run against the one before; raises where a row is not as it must be.

    `back` is the way back from that run. It must lead from each row that is new to one that is
    gone, with the same value, labels and times.
    """
    untouched = moved = 0
    for number, namespace, _ in before.fetch("namespaces"):
        sides = (_paths(one, number) for one in (before, after))
        for old, new in zip_longest(*sides, fillvalue=_NOTHING):
            if old[0] is None or old[0] != new[0]:
                raise RehearsalFailed(why=f"{namespace} does not hold the same keys afterwards")
            gone, come = _differences(old[1], new[1])
            untouched += len(old[1]) - len(gone)
            moved += len(come)
            if gone or come:
                _check(store, back, (number, *old[0]), gone, come)
    return Compared(untouched, moved)


def _paths(reader: Reader, number: int) -> Iterator[tuple[Any, list[Row]]]:
    rows = reader.stream("stream", (number,))
    return ((path, list(group)) for path, group in groupby(rows, key=itemgetter(0, 1)))


def _differences(old: list[Row], new: list[Row]) -> tuple[list[Row], list[Row]]:
    kept = {bytes(row[7]) for row in old} & {bytes(row[7]) for row in new}
    gone, come = ([row for row in side if bytes(row[7]) not in kept] for side in (old, new))
    return gone, come


def _check(
    store: Store, back: Backward, path: tuple[int, str, str], gone: list[Row], come: list[Row]
) -> None:
    wanted = sorted(_said(store, path, row) for row in gone)
    made = sorted(_returned(store, back, path, row) for row in come)
    if wanted != made:
        name = f"{store.namespaces.path(path[0])}/{path[1]}"
        raise RehearsalFailed(why=f"the way back of {name} does not lead to what it was")


def _said(store: Store, path: tuple[int, str, str], row: Row) -> bytes:
    """All that must come back: value, labels, times."""
    aged = _aged(store, path, row)
    extra = without_stale(aged.extra, aged.content)
    return _packed(aged, aged.text or bytes(row[6]), extra)


def _returned(store: Store, back: Backward, path: tuple[int, str, str], row: Row) -> bytes:
    aged = _aged(store, path, row)
    look = back(aged)
    if look is None or look.move is not Move.CAST:
        return b""
    return _packed(aged, look.text, ormsgpack.unpackb(look.extra) if look.extra else {})


def _packed(aged: Aged, text: bytes, extra: dict[str, Any]) -> bytes:
    return ormsgpack.packb((*kept_of(aged), extra, text))


def _aged(store: Store, path: tuple[int, str, str], row: Row) -> Aged:
    """A row of statement `stream`, opened; raises where it is damaged."""
    ns, key, field = path
    _, _, seq, exp, flags, body, value, digest, content = row
    size = len(body) + len(value)
    columns = (seq, ns, key, field, exp, flags, "", None, None, content, size, body, value, digest)
    aged = opened(store, columns)
    if aged.why:
        raise RehearsalFailed(why=f"{aged.namespace}/{key} of the copy: {aged.why}")
    return aged
