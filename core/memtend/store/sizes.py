"""Of what kinds the records are, and when they end, at a cost that does not grow with the store.

Totals are kept by every write, but not per kind: that would cost each write a row more. So a sample
is taken all over the change sequence: what it holds of a kind is what the store holds of it, up to
chance; a store that is no larger than the sample is read whole, and then it is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from memtend.limits import TIME_MS_MAX
from memtend.limits_upkeep import (
    REPORT_DUE_COUNTED_MAX,
    REPORT_SAMPLE_ROWS,
    REPORT_SAMPLE_WINDOWS,
)
from memtend.store.meta import Meta
from memtend.store.stretches import windows

if TYPE_CHECKING:
    from memtend.store.store import Store


class Seen(NamedTuple):
    """One row of the sample."""

    agent: str | None
    kind: str
    exp_ms: int | None
    size: int


class Sample(NamedTuple):
    """`of` is how many rows there were."""

    rows: tuple[Seen, ...]
    of: int


class DueCount(NamedTuple):
    """Rows that end in a stretch of time; where not `exact`, an estimate."""

    records: int
    exact: bool


def sample(store: Store) -> Sample:
    """Rows from everywhere in the store, all of them if there are few."""
    with store.engine.snapshot() as reader:
        total = Meta.of(reader.fetch("meta"), store.url).rows
        where = windows(reader, total, REPORT_SAMPLE_ROWS, REPORT_SAMPLE_WINDOWS)
        rows = (row for window in where for row in reader.fetch("sizes_between", window))
        return Sample(tuple(Seen(*row) for row in rows), total)


def due(store: Store, edges: Sequence[int], seen: Sample) -> list[DueCount]:
    """How many rows end up to the first edge, between each two, and after the last."""
    bounds = [-1, *edges, TIME_MS_MAX]
    counts = []
    with store.engine.snapshot() as reader:
        for after, until in pairwise(bounds):
            params = (after, until, REPORT_DUE_COUNTED_MAX)
            [(counted,)] = reader.fetch("due_between", params)
            if counted < REPORT_DUE_COUNTED_MAX:
                counts.append(DueCount(counted, exact=True))
                continue
            hits = sum(row.exp_ms is not None and after < row.exp_ms <= until for row in seen.rows)
            estimate = round(hits * seen.of / max(1, len(seen.rows)))
            counts.append(DueCount(max(counted, estimate), exact=False))
    return counts
