"""A full backup put together in the repository: the last full one with all changes since laid in.

Only the segments in whose key range something changed are read and cut anew; the others are named
again, unread. As the cuts depend on the keys alone, the outcome is segment for segment what a full
backup of the same state would be, and shares its objects with one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from operator import itemgetter
from typing import Protocol, TypeAlias

from memtend.backup.cut import Cut, Cutter
from memtend.backup.layers import Layer, Merged
from memtend.backup.manifest import SegmentRef
from memtend.codec.segment import Row, Table
from memtend.limits import SEGMENT_BYTES_CUT, SEGMENT_BYTES_TARGET
from memtend.model.stored import LogRow, StoredRow

Place: TypeAlias = tuple[str, ...]
"""What rows are replaced by: the path, and in the log the replica too."""
Change: TypeAlias = tuple[Place, Sequence[Row]]
Read = Callable[[SegmentRef], Iterator[Row]]


class Delta(Protocol):
    def changed_rows(self, after: int) -> Iterator[StoredRow]: ...

    def log(self, after: int = -1) -> Iterator[LogRow]: ...


class Fresh:
    """The newest layer: what changed in the store since the newest backup, not stored yet."""

    def __init__(
        self,
        snapshot: Delta,
        after: int,
        sound: Callable[[Iterable[StoredRow]], Iterator[StoredRow]],
    ) -> None:
        self._snapshot, self._after, self._sound = snapshot, after, sound

    def rows(self) -> Iterator[StoredRow]:
        return self._sound(self._snapshot.changed_rows(self._after))

    def log(self) -> Iterator[LogRow]:
        return self._snapshot.log(self._after)


def changed_paths(deltas: Sequence[Layer]) -> Iterator[Change]:
    """Every path that the deltas touch, with the siblings that it has now; perhaps none."""
    return iter(Merged(deltas).paths())


def changed_log(deltas: Sequence[Layer]) -> Iterator[Change]:
    return ((row[:4], (row,)) for row in Merged(deltas).log())


def appended(rows: Iterable[Row]) -> Iterator[Change]:
    """Rows that joined a table, by their key."""
    return ((row[:3], (row,)) for row in rows)


def splice(
    refs: Sequence[SegmentRef],
    changes: Iterator[Change],
    read: Read,
    table: Table,
    schema: str,
    *,
    target: int = SEGMENT_BYTES_TARGET,
    cap: int = SEGMENT_BYTES_CUT,
) -> Iterator[Cut | SegmentRef]:
    """The segments `refs` with `changes` laid in: new ones, and untouched ones by reference."""
    cutter = Cutter(table, schema, target=target, cap=cap)
    splicing = _Splicing(changes, cutter, 4 if table is Table.LOG else 3)
    for ref, after in zip_longest(refs, refs[1:]):
        if not splicing.touches(ref, is_last=after is None):
            yield ref
            continue
        for row in read(ref):
            yield from splicing.lay(row)
        # Part of the last key may lie in the next segment: cut for its length, at the cap.
        splicing.inside = after is not None and after.first[:2] == ref.last[:2]
        if not splicing.inside:
            yield from splicing.finish(ref, is_last=after is None)
    if not refs:
        yield from splicing.finish(None, is_last=True)
    yield from splicing.cutter.close()


class _Splicing:
    """`inside`: the segment before was read, and the next continues its last key."""

    def __init__(self, changes: Iterator[Change], cutter: Cutter, place_parts: int) -> None:
        self._changes = changes
        self._change = next(changes, None)
        self._place = itemgetter(slice(place_parts))
        self._replaced: Place = ()
        self.cutter = cutter
        self.inside = False

    def touches(self, ref: SegmentRef, *, is_last: bool) -> bool:
        return self.inside or self.cutter.is_open or self._is_due(ref, is_last=is_last)

    def lay(self, row: Row) -> Iterator[Cut]:
        """A row of the old segment, behind the changes that come before it or replace it."""
        place = self._place(row)
        while self._change is not None and self._change[0] <= place:
            yield from self._lay_change(self._change)
        if place != self._replaced:
            yield from self.cutter.add(row)

    def finish(self, ref: SegmentRef | None, *, is_last: bool) -> Iterator[Cut]:
        """The changes behind the last row of `ref` that belong to it."""
        while self._change is not None and (ref is None or self._is_due(ref, is_last=is_last)):
            yield from self._lay_change(self._change)
        yield from self.cutter.settle()

    def _lay_change(self, change: Change) -> Iterator[Cut]:
        self._replaced = change[0]
        for row in change[1]:
            yield from self.cutter.add(row)
        self._change = next(self._changes, None)

    def _is_due(self, ref: SegmentRef, *, is_last: bool) -> bool:
        return self._change is not None and (is_last or self._change[0][:2] <= ref.last[:2])
