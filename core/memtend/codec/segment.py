"""Segments: runs of stored rows in key order, the unit in which backups are written.

    magic "MEMTSEG\\0" | format u16 | header length u32 | header | one zstd frame

The header is a msgpack list: kind, table, schema version, first key, last key, row count, raw
length, dictionary id, encryption key id. The frame holds the rows, each a u32 length and a msgpack
list of the table's columns in their fixed order; values stay in the codec they are stored in, so
nothing is unpacked and packed again. Integers are big-endian. A frame is written and read as a
stream: a long segment costs its compressed length in memory, not its raw one.

The format number changes with any change of these bytes; a reader refuses numbers it does not
know. Reading is bounded before it is believed: the frame must state the raw length of the header,
and that is at most 64 MiB.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeAlias

import ormsgpack
import zstandard

from memtend.codec.compress import Damaged
from memtend.errors import LimitExceeded
from memtend.formats import SEGMENT_FORMAT
from memtend.limits import KIB, MIB, SEGMENT_BYTES_MAX, SEGMENT_HEADER_BYTES_MAX, ZSTD_LEVEL
from memtend.model.stored import LogRow, SideRow, StoredRow

MAGIC: Final = b"MEMTSEG\0"
_PREFIX: Final = struct.Struct(">8sHI")
_LENGTH: Final = struct.Struct(">I")
_JOINED_BYTES: Final = 4 * MIB
_READ_BYTES: Final = 128 * KIB
# A short frame is decompressed at once, which lets go of its compressed bytes and of the window.
_WHOLE_BYTES_MAX: Final = 2 * MIB

Row: TypeAlias = StoredRow | LogRow | SideRow
Key: TypeAlias = tuple[str, str, str]


class SegmentKind(StrEnum):
    BASE = "base"
    DELTA = "delta"


class Table(StrEnum):
    SIBLING = "sibling"
    LOG = "log"
    SIDE = "side"
    AUDIT = "audit"
    ACCESS = "access"


class SegmentHeader(NamedTuple):
    """`key_id` names the encryption key; None means the frame is in the clear."""

    kind: str
    table: str
    schema: str
    first: Key
    last: Key
    rows: int
    raw_bytes: int
    dictionary: int | None = None
    key_id: str | None = None


class _Columns(NamedTuple):
    make: Callable[[list[Any]], Row]
    types: tuple[tuple[type, ...], ...]


_BYTES: Final = (bytes,)
_TEXT: Final = (str,)
_INT: Final = (int,)
_SIDE: Final = _Columns(SideRow._make, (_TEXT, _TEXT, _TEXT, _BYTES))
_TABLES: Final = {
    Table.SIBLING: _Columns(
        StoredRow._make,
        (_TEXT, _TEXT, _TEXT, _INT, (int, type(None)), _INT, _BYTES, _BYTES, _BYTES, _INT),
    ),
    Table.LOG: _Columns(LogRow._make, (_TEXT, _TEXT, _TEXT, _TEXT, _INT, _INT, _INT, _TEXT)),
    Table.SIDE: _SIDE,
    Table.AUDIT: _SIDE,
    Table.ACCESS: _SIDE,
}


def key_of(row: Row) -> Key:
    """What orders rows of any table: namespace, key and field, or table, name and field."""
    return (row[0], row[1], row[2])


def pack_row(row: Row) -> bytes:
    """One row as it lies in a frame."""
    packed = ormsgpack.packb(tuple(row))
    return _LENGTH.pack(len(packed)) + packed


def seal(
    kind: SegmentKind, table: Table, schema: str, *, packed: list[bytes], first: Key, last: Key
) -> bytes:
    """A segment of rows already packed."""
    raw_bytes = sum(map(len, packed))
    if not packed or raw_bytes > SEGMENT_BYTES_MAX:
        raise LimitExceeded(
            what="segment", name="/".join(first), actual=raw_bytes, limit=SEGMENT_BYTES_MAX
        )
    header = SegmentHeader(kind, table, schema, first, last, len(packed), raw_bytes)
    head = ormsgpack.packb(tuple(header))
    frame = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compressobj(size=raw_bytes)
    parts = [_PREFIX.pack(MAGIC, SEGMENT_FORMAT, len(head)), head]
    parts += map(frame.compress, _joined(packed))
    parts.append(frame.flush())
    return b"".join(parts)


def _joined(packed: list[bytes]) -> Iterator[bytes]:
    """Some rows at a time: each call lets go of the interpreter, and getting it back takes long."""
    held: list[bytes] = []
    size = 0
    for one in packed:
        held.append(one)
        size += len(one)
        if size >= _JOINED_BYTES:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def encode(kind: SegmentKind, table: Table, schema: str, rows: Iterable[Row]) -> bytes:
    """A segment of `rows`, which are in key order and at least one."""
    rows = list(rows)
    packed = [pack_row(row) for row in rows]
    first, last = key_of(rows[0]), key_of(rows[-1])
    return seal(kind, table, schema, packed=packed, first=first, last=last)


def read_header(data: bytes) -> tuple[SegmentHeader, int]:
    """The header and where the frame begins; raises `Damaged` when this is no segment."""
    try:
        magic, number, length = _PREFIX.unpack_from(data)
    except struct.error as error:
        raise Damaged("it is too short for a segment") from error
    if magic != MAGIC:
        raise Damaged("it is not a segment")
    if number != SEGMENT_FORMAT:
        raise Damaged(f"segment format {number} is not known")
    if length > SEGMENT_HEADER_BYTES_MAX:
        raise Damaged(f"a header of {length:,} bytes")
    end = _PREFIX.size + length
    try:
        kind, table, schema, first, last, *counts = ormsgpack.unpackb(data[_PREFIX.size : end])
        header = SegmentHeader(
            SegmentKind(kind), Table(table), schema, _key(first), _key(last), *counts
        )
    except (ValueError, TypeError) as error:
        raise Damaged("the header cannot be read") from error
    _check_header(header)
    return header, end


def decode(data: bytes) -> tuple[SegmentHeader, Iterator[Row]]:
    """The header and the rows. The rows raise `Damaged` at the first thing that is wrong."""
    header, start = read_header(data)
    if header.dictionary is not None or header.key_id is not None:
        raise Damaged("it needs a dictionary or a key")
    return header, _rows(header, _Raw(memoryview(data)[start:], header.raw_bytes))


def _check_header(header: SegmentHeader) -> None:
    rows, raw_bytes = header.rows, header.raw_bytes
    if not isinstance(header.schema, str) or type(rows) is not int or type(raw_bytes) is not int:
        raise Damaged("the header has a value of the wrong type")
    if not 0 < rows <= raw_bytes <= SEGMENT_BYTES_MAX:
        raise Damaged(f"{rows:,} rows in {raw_bytes:,} bytes")


def _key(value: Any) -> Key:
    namespace, key, field = value
    if not all(isinstance(part, str) for part in (namespace, key, field)):
        raise TypeError("a key is text")
    return (namespace, key, field)


class _Raw:
    """The bytes of a frame, decompressed as they are asked for and never beyond `raw_bytes`."""

    def __init__(self, frame: memoryview, raw_bytes: int) -> None:
        try:
            if zstandard.frame_content_size(frame) != raw_bytes:
                raise Damaged("the frame states another length than the header")
            length = _frame_length(frame)
        except (zstandard.ZstdError, IndexError) as error:
            raise Damaged("the frame cannot be decompressed") from error
        if length != len(frame):
            raise Damaged("there is something behind the frame, or part of it is missing")
        self._reader: Any = zstandard.ZstdDecompressor().stream_reader(frame)
        self._buffer, self._at = b"", 0
        self._left = raw_bytes
        if raw_bytes <= _WHOLE_BYTES_MAX:
            self._buffer = self._read(raw_bytes)
            self._check_frame_end()
            self._reader = None

    def take(self, count: int) -> bytes:
        missing = count - (len(self._buffer) - self._at)
        if missing > self._left:
            raise Damaged("there are fewer rows than the header says")
        if missing > 0:
            more = self._read(min(max(missing, _READ_BYTES), self._left))
            self._buffer, self._at = self._buffer[self._at :] + more, 0
        end = self._at + count
        taken = self._buffer[self._at : end]
        self._at = end
        return taken

    def check_end(self) -> None:
        """Raise `Damaged` unless everything was taken and nothing is left in the frame."""
        if self._left or self._at != len(self._buffer):
            raise Damaged("there is more in it than the header says")
        self._check_frame_end()

    def _check_frame_end(self) -> None:
        if self._reader is not None and self._decompressed(1):
            raise Damaged("the frame is longer than it states")

    def _read(self, count: int) -> bytes:
        more = self._decompressed(count)
        if len(more) != count:
            raise Damaged("the frame is shorter than it states")
        self._left -= count
        return more

    def _decompressed(self, count: int) -> bytes:
        try:
            more: bytes = self._reader.read(count)
        except zstandard.ZstdError as error:
            raise Damaged("the frame cannot be decompressed") from error
        return more


def _frame_length(frame: memoryview) -> int:
    """Where the first zstd frame ends, told by its block headers (RFC 8878, 3.1.1)."""
    at = zstandard.frame_header_size(frame)
    last = False
    while not last:
        block = int.from_bytes(frame[at : at + 3], "little")
        last, kind, size = bool(block & 1), block >> 1 & 3, block >> 3
        at += 3 + (1 if kind == 1 else size)  # one byte, repeated
        if at > len(frame):
            raise IndexError(at)
    return at + 4 * zstandard.get_frame_parameters(frame).has_checksum


def _rows(header: SegmentHeader, raw: _Raw) -> Iterator[Row]:
    columns = _TABLES[Table(header.table)]
    before: Key | None = None
    for _ in range(header.rows):
        row = _row(columns, raw.take(_LENGTH.unpack(raw.take(_LENGTH.size))[0]))
        key = key_of(row)
        if key < (before or header.first) or (before is None and key != header.first):
            raise Damaged(f"row {'/'.join(key)} is out of order")
        before = key
        yield row
    raw.check_end()
    if before != header.last:
        raise Damaged("the last row is not the one that the header names")


def _row(columns: _Columns, packed: bytes) -> Row:
    try:
        cells = ormsgpack.unpackb(packed)
        # One row, one text: what packs differently was not written by `pack_row`.
        exact = ormsgpack.packb(cells) == packed
        typed = len(cells) == len(columns.types) and all(map(isinstance, cells, columns.types))
    except (ValueError, TypeError) as error:
        raise Damaged("a row cannot be read") from error
    if not exact or not typed:
        raise Damaged("a row has other columns than the table")
    return columns.make(cells)
