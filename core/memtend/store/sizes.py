"""Of what kinds the records are, and when they end, at a cost that does not grow with the store.

Totals are kept by every write, but not per kind: that would cost each write a row more. So a sample
is taken by change numbers: the sequence is cut into parts of equal length, and in each of them all
rows of one stretch are read. Every change number is as likely to be looked at as any other, so what
the sample holds of a kind is what the store holds of it, up to chance; a store that is no larger
than the sample is read whole, and then it is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.limits import TIME_MS_MAX
from memtend.limits_upkeep import (
    REPORT_DUE_COUNTED_MAX,
    REPORT_SAMPLE_ROWS,
    REPORT_SAMPLE_WINDOWS,
)
from memtend.store.meta import Meta

if TYPE_CHECKING:
    from memtend.store.engine import Reader
    from memtend.store.store import Store

_GOLDEN: Final = 0.6180339887498949
"""Says where in its part a stretch lies: never in step with what repeats in the sequence, as with
records that are written in turns."""
_CLUMP: Final = 8
"""A stretch in which there are so many times more rows than expected is cut off."""


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
        [(first, last)] = reader.fetch("seq_bounds")
        if first is None:
            return Sample((), total)
        if total <= REPORT_SAMPLE_ROWS:
            return Sample(_between(reader, first, last + 1, REPORT_SAMPLE_ROWS), total)
        most = _CLUMP * REPORT_SAMPLE_ROWS // REPORT_SAMPLE_WINDOWS
        found: list[Seen] = []
        for start, end in stretches(first, last + 1, REPORT_SAMPLE_ROWS / total):
            found += _between(reader, start, end, most)
        return Sample(tuple(found), total)


def stretches(first: int, end: int, share: float) -> Iterator[tuple[int, int]]:
    """Where to look, so that about this share of the change numbers is seen, and none twice."""
    step = (end - first) / REPORT_SAMPLE_WINDOWS
    width = max(1.0, step * share)
    seen = first
    for n in range(REPORT_SAMPLE_WINDOWS):
        middle = first + (n + (n + 0.5) * _GOLDEN % 1) * step
        start, stop = max(seen, round(middle - width / 2)), min(end, round(middle + width / 2))
        if start < stop:
            yield start, stop
            seen = stop


def _between(reader: Reader, start: int, end: int, most: int) -> tuple[Seen, ...]:
    return tuple(Seen(*row) for row in reader.fetch("sizes_between", (start, end, most)))


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
