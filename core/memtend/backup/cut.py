"""Cutting a stream of rows into segments.

Base segments: a small change leaves most of them alike. Whether one ends behind a key depends on
that key and the size of its rows, and on nothing before or behind it: an insert can split one
segment or lengthen one, and every other segment keeps its bytes and thereby its name. The chance
grows with the size, which makes segments `SEGMENT_BYTES_TARGET` long on average whatever the rows.
Where no key wants to end a segment, it ends at `SEGMENT_BYTES_CUT`, if need be between two rows of
one key.

Delta segments end at `DELTA_BYTES_TARGET`: their rows are written once, and many are merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Final, NamedTuple

from memtend.codec.compress import Damaged
from memtend.codec.segment import Key, Row, SegmentKind, Table, key_of, pack_row, seal
from memtend.limits import DELTA_BYTES_TARGET, SEGMENT_BYTES_CUT, SEGMENT_BYTES_TARGET

_HASHES: Final = 2**64


class Cut(NamedTuple):
    """The rows of one segment, packed, and what a manifest says about it.

    Compressing takes most of the time, so whoever stores the segment does it: `seal`.
    """

    kind: SegmentKind
    table: Table
    schema: str
    packed: list[bytes]
    first: Key
    last: Key
    raw_bytes: int

    @property
    def rows(self) -> int:
        return len(self.packed)

    def seal(self) -> bytes:
        """The bytes of the segment."""
        return seal(
            self.kind,
            self.table,
            self.schema,
            packed=self.packed,
            first=self.first,
            last=self.last,
        )


def ends_segment(namespace: str, key: str, size: int, target: int) -> bool:
    """Whether a segment ends behind this key, whose rows pack into `size` bytes. Pure."""
    digest = blake2b(f"{namespace}\0{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") * target < size * _HASHES


def cut(
    rows: Iterable[Row],
    table: Table,
    schema: str,
    *,
    target: int = SEGMENT_BYTES_TARGET,
    cap: int = SEGMENT_BYTES_CUT,
) -> Iterator[Cut]:
    """Base segments of `rows`, which come in key order. Holds one segment at a time."""
    cutter = Cutter(table, schema, target=target, cap=cap)
    for row in rows:
        yield from cutter.add(row)
    yield from cutter.close()


def cut_delta(
    rows: Iterable[Row],
    table: Table,
    schema: str,
    *,
    target: int = DELTA_BYTES_TARGET,
) -> Iterator[Cut]:
    """Delta segments of `rows`, which come in key order."""
    open_ = _Open(SegmentKind.DELTA, table, schema)
    for row in rows:
        packed = pack_row(row)
        if open_.packed and open_.raw_bytes + len(packed) > target:
            yield open_.close()
        open_.add(key_of(row), packed)
    if open_.packed:
        yield open_.close()


class Cutter:
    """Cuts base segments out of rows given one by one."""

    def __init__(
        self,
        table: Table,
        schema: str,
        *,
        target: int = SEGMENT_BYTES_TARGET,
        cap: int = SEGMENT_BYTES_CUT,
    ) -> None:
        self._target, self._cap = target, cap
        self._open = _Open(SegmentKind.BASE, table, schema)
        self._path, self._size = ("", ""), 0

    def add(self, row: Row) -> Iterator[Cut]:
        """The segments that end before `row`."""
        packed, path = pack_row(row), (row[0], row[1])
        if path != self._path:
            yield from self.settle()
            self._path, self._size = path, 0
        if self._open.packed and self._open.raw_bytes + len(packed) > self._cap:
            yield self._open.close()
        self._size += len(packed)
        self._open.add(key_of(row), packed)

    def settle(self) -> Iterator[Cut]:
        """The open segment if it ends behind its last key, of which no more rows may follow."""
        if self._open.packed and ends_segment(*self._path, self._size, self._target):
            yield self._open.close()

    def close(self) -> Iterator[Cut]:
        """What is left; nothing follows."""
        if self._open.packed:
            yield self._open.close()

    @property
    def is_open(self) -> bool:
        return bool(self._open.packed)


class _Open:
    def __init__(self, kind: SegmentKind, table: Table, schema: str) -> None:
        self._kind, self._table, self._schema = kind, table, schema
        self.packed: list[bytes] = []
        self.raw_bytes = 0

    def add(self, key: Key, packed: bytes) -> None:
        if not self.packed:
            self._first = self._last = key
        if key < self._last:
            raise Damaged(f"{'/'.join(key)} comes behind {'/'.join(self._last)}")
        self._last = key
        self.packed.append(packed)
        self.raw_bytes += len(packed)

    def close(self) -> Cut:
        packed, raw_bytes = self.packed, self.raw_bytes
        self.packed, self.raw_bytes = [], 0
        return Cut(
            self._kind, self._table, self._schema, packed, self._first, self._last, raw_bytes
        )
