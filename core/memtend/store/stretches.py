"""Where to look in the change sequence, so that few looks tell what the whole store is like.

The sequence is cut into parts of equal length, and in each of them one stretch is looked at: every
change number is as likely to be seen as any other. Where in its part a stretch lies goes by the
golden ratio, never in step with what repeats in the sequence, as with records written in turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from memtend.store.engine import Reader

_GOLDEN: Final = 0.6180339887498949
_CLUMP: Final = 8


def stretches(first: int, end: int, share: float, parts: int) -> Iterator[tuple[int, int]]:
    """So that about this share of the change numbers is seen, and none twice."""
    step = (end - first) / parts
    width = max(1.0, step * share)
    seen = first
    for n in range(parts):
        middle = first + (n + (n + 0.5) * _GOLDEN % 1) * step
        start, stop = max(seen, round(middle - width / 2)), min(end, round(middle + width / 2))
        if start < stop:
            yield start, stop
            seen = stop


def windows(reader: Reader, total: int, rows: int, parts: int) -> Iterator[tuple[int, int, int]]:
    """Begin, end and the most rows to read of each stretch, to see about `rows` of `total`.

    A store no larger than the sample is one stretch. One with many times more rows than expected
    is cut off.
    """
    [(first, last)] = reader.fetch("seq_ends")
    if first is None:
        return
    if total <= rows:
        yield first, last + 1, rows
        return
    for start, end in stretches(first, last + 1, rows / total, parts):
        yield start, end, _CLUMP * rows // parts
