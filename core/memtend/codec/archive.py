"""Blocks: many archived values compressed together, the unit in which the archive is read.

    magic "MEMTARC\\0" | format u16 | one zstd frame

The frame holds a u32 length, a msgpack list of columns (namespaces, keys, bodies, deadlines, runs,
times, rules, text lengths), and the texts one behind the other. A block says everything that is
needed to put its records back, so the store's index can be rebuilt from blocks alone; columns
side by side compress better than rows. Integers are big-endian. Reading is bounded by the length
that the frame states, and that by `ARCHIVE_BLOCK_BYTES_MAX`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

import ormsgpack

from memtend.codec.compress import Damaged
from memtend.errors import LimitExceeded
from memtend.formats import ARCHIVE_FORMAT
from memtend.limits import ARCHIVE_BLOCK_BYTES_MAX

MAGIC: Final = b"MEMTARC\0"
PRUNED: Final = "prune:"
"""The rule of an entry whose record was deleted begins so: no index must bring it back."""
_PREFIX: Final = struct.Struct(">8sH")
_LENGTH: Final = struct.Struct(">I")
_INT_MAX: Final = 2**63


class Entry(NamedTuple):
    """One archived value. `run` is the archive run that took it, at `at_ms`, by `rule`."""

    namespace: str
    key: str
    body: bytes
    exp_ms: int | None
    run: int
    at_ms: int
    rule: str
    text: bytes

    @property
    def is_pruned(self) -> bool:
        """Whether it is kept only so that a prune can be undone."""
        return self.rule.startswith(PRUNED)


_TYPES: Final[tuple[tuple[type, ...], ...]] = (
    (str,), (str,), (bytes,), (int, type(None)), (int,), (int,), (str,), (int,),
)  # fmt: skip


class Block(NamedTuple):
    """A block that was decompressed. Texts are cut out one by one, when they are asked for."""

    columns: tuple[list[Any], ...]
    ends: list[int]
    raw: bytes

    @property
    def records(self) -> int:
        return len(self.ends)

    def text(self, index: int) -> bytes:
        """The canonical JSON of one value; raises `Damaged` where there is none."""
        if not 0 <= index < len(self.ends):
            raise Damaged(f"it has {len(self.ends)} records, and none at {index}")
        length: int = self.columns[-1][index]
        return self.raw[self.ends[index] - length : self.ends[index]]

    def entry(self, index: int) -> Entry:
        text = self.text(index)
        return Entry._make((*(column[index] for column in self.columns[:-1]), text))

    def entries(self) -> Iterator[Entry]:
        return (self.entry(index) for index in range(self.records))


def size_of(entry: Entry) -> int:
    """About what an entry takes in a block before compression."""
    return len(entry.namespace) + len(entry.key) + len(entry.body) + len(entry.text) + 40


def encode_block(entries: Sequence[Entry], level: int) -> bytes:
    """A block of at least one entry."""
    import zstandard  # noqa: PLC0415 — most processes never archive

    columns = [list(column) for column in zip(*(entry[:-1] for entry in entries), strict=True)]
    columns.append([len(entry.text) for entry in entries])
    head = ormsgpack.packb(columns)
    raw = b"".join((_LENGTH.pack(len(head)), head, *(entry.text for entry in entries)))
    if len(raw) > ARCHIVE_BLOCK_BYTES_MAX:
        raise LimitExceeded(
            what="archive block", name=entries[0].key, actual=len(raw),
            limit=ARCHIVE_BLOCK_BYTES_MAX,
        )  # fmt: skip
    frame = zstandard.ZstdCompressor(level=level, write_checksum=True).compress(raw)
    return _PREFIX.pack(MAGIC, ARCHIVE_FORMAT) + frame


def decode_block(data: bytes) -> Block:
    """The block of `data`; raises `Damaged` at anything that is wrong."""
    try:
        magic, number = _PREFIX.unpack_from(data)
    except struct.error as error:
        raise Damaged("it is too short for a block") from error
    if magic != MAGIC:
        raise Damaged("it is not a block")
    if number != ARCHIVE_FORMAT:
        raise Damaged(f"block format {number} is not known")
    return _block(_unpack(data[_PREFIX.size :]))


def _unpack(frame: bytes) -> bytes:
    import zstandard  # noqa: PLC0415

    try:
        size = zstandard.frame_content_size(frame)
        if not 0 < size <= ARCHIVE_BLOCK_BYTES_MAX:
            raise Damaged(f"it states a length of {size:,} bytes")
        raw: bytes = zstandard.ZstdDecompressor().decompress(
            frame, max_output_size=size, allow_extra_data=False
        )
    except zstandard.ZstdError as error:
        raise Damaged("it cannot be decompressed") from error
    if len(raw) != size:
        raise Damaged(f"{len(raw):,} bytes instead of {size:,}")
    return raw


def _block(raw: bytes) -> Block:
    try:
        start = _LENGTH.size + _LENGTH.unpack_from(raw)[0]
        columns = tuple(ormsgpack.unpackb(raw[_LENGTH.size : start]))
        for column, types in zip(columns, _TYPES, strict=True):
            if len(column) != len(columns[0]) or not all(type(cell) in types for cell in column):
                raise Damaged("a column is not of its type")
        lengths = columns[-1]
        if min(lengths, default=-1) < 0 or max(lengths) > len(raw):
            raise Damaged("a value has a length that cannot be")
    except (ValueError, TypeError, struct.error) as error:
        raise Damaged(f"its columns cannot be read: {error}") from error
    ends = [start + end for end in accumulate(lengths)]
    if ends[-1] != len(raw):
        raise Damaged("its values have another length than it says")
    return Block(columns, ends, raw)
