"""Cutting a stream of rows into base segments, so that small changes leave most of them alike.

Whether a segment ends behind a key depends on that key and the size of its rows, and on nothing
before or behind it: an insert can split one segment or lengthen one, and every other segment
keeps its bytes and thereby its name. The chance grows with the size, which makes segments
`SEGMENT_BYTES_TARGET` long on average whatever the rows. Where no key wants to end a segment, it
ends at `SEGMENT_BYTES_MAX`, if need be between two rows of one key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Final, NamedTuple

from memtend.codec.segment import Key, Row, SegmentKind, Table, key_of, pack_row, seal
from memtend.limits import SEGMENT_BYTES_MAX, SEGMENT_BYTES_TARGET

_HASHES: Final = 2**64


class Sealed(NamedTuple):
    """A segment and what a manifest says about it."""

    data: bytes
    first: Key
    last: Key
    rows: int
    raw_bytes: int


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
    cap: int = SEGMENT_BYTES_MAX,
) -> Iterator[Sealed]:
    """Segments of `rows`, which come in key order. Holds one segment at a time."""
    open_ = _Open(table, schema)
    path, size = ("", ""), 0
    for row in rows:
        packed = pack_row(row)
        if row[:2] != path:
            if open_.packed and ends_segment(*path, size, target):
                yield open_.close()
            path, size = (row[0], row[1]), 0
        if open_.packed and open_.raw_bytes + len(packed) > cap:
            yield open_.close()
        size += len(packed)
        open_.add(key_of(row), packed)
    if open_.packed:
        yield open_.close()


class _Open:
    def __init__(self, table: Table, schema: str) -> None:
        self._table, self._schema = table, schema
        self.packed: list[bytes] = []
        self.raw_bytes = 0

    def add(self, key: Key, packed: bytes) -> None:
        if not self.packed:
            self._first = key
        self._last = key
        self.packed.append(packed)
        self.raw_bytes += len(packed)

    def close(self) -> Sealed:
        first, last, rows = self._first, self._last, len(self.packed)
        packed, self.packed = self.packed, []
        raw_bytes, self.raw_bytes = self.raw_bytes, 0
        data = seal(
            SegmentKind.BASE, self._table, self._schema, packed=packed, first=first, last=last
        )
        return Sealed(data, first, last, rows, raw_bytes)
