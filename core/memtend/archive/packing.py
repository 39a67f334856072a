"""Packing entries into blocks and blocks into an object, with the address of every record.

Blocks are cut at `ARCHIVE_BLOCK_BYTES` of raw text: one recall reads and opens one block. An
object holds as many blocks as stay below `ARCHIVE_OBJECT_BYTES`: never a file per record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from hashlib import sha256
from typing import Literal, NamedTuple

from xxhash import xxh3_128_digest

from memtend.archive.manifest import BlockRef, Part
from memtend.codec.address import Address
from memtend.codec.archive import Entry, encode_block, size_of
from memtend.limits import ARCHIVE_BLOCK_BYTES, ARCHIVE_OBJECT_BYTES


class Source(NamedTuple):
    """An entry, the row that it comes from, and what that row took before it was archived.

    `seq` is negative where no row of the store names the entry any more.
    """

    seq: int
    entry: Entry
    was_bytes: int


class Packed(NamedTuple):
    """An object that is ready to be stored: its bytes, and the address per sequence number."""

    data: bytes
    blocks: tuple[BlockRef, ...]
    addresses: dict[int, Address]
    entries: tuple[Entry, ...]

    def part(
        self, archive_id: str, number: int, at: datetime, why: Literal["run", "compact", "erase"],
        program: str, replaces: tuple[str, ...] = (),
    ) -> Part:  # fmt: skip
        """What a manifest says about this object."""
        return Part(
            archive_id=archive_id,
            number=number,
            object=sha256(self.data).hexdigest(),
            stored_bytes=len(self.data),
            text_bytes=sum(len(entry.text) for entry in self.entries),
            records=len(self.entries),
            blocks=self.blocks,
            runs=dict(Counter(entry.run for entry in self.entries)),
            rules=dict(Counter(entry.rule for entry in self.entries)),
            at=at,
            why=why,
            program=program,
            replaces=replaces,
        )


class Packer:
    """Takes entries one by one; what is to be read together is added together.

    Compressing is most of the work, and `threads` share it: the object is the same.
    """

    def __init__(self, seal: Callable[[bytes], bytes], threads: int = 1) -> None:
        self._seal = seal
        self._threads = threads
        self._clear()

    def _clear(self) -> None:
        self._open: list[Source] = []
        self._level = 0
        self._open_bytes = self._raw_bytes = 0
        self._blocks: list[tuple[int, list[Source]]] = []

    @property
    def is_full(self) -> bool:
        return self._raw_bytes >= ARCHIVE_OBJECT_BYTES

    def add(self, source: Source, level: int) -> None:
        size = size_of(source.entry)
        if self._open and (level != self._level or self._open_bytes + size > ARCHIVE_BLOCK_BYTES):
            self._close()
        self._level = level
        self._open.append(source)
        self._open_bytes += size
        self._raw_bytes += size

    def finish(self) -> Packed | None:
        """The object of what was added, or None where that is nothing. Begins the next one."""
        if self._open:
            self._close()
        closed = self._blocks
        self._clear()
        if not closed:
            return None
        blocks = [self._seal(block) for block in self._encoded(closed)]
        data = b"".join(blocks)
        digest = sha256(data).digest()
        refs, offset, addresses = [], 0, dict[int, Address]()
        for block, (_, sources) in zip(blocks, closed, strict=True):
            ref = BlockRef(offset, len(block), len(sources))
            refs.append(ref)
            offset += len(block)
            addresses |= addresses_of(digest, ref, sources)
        entries = tuple(source.entry for _, sources in closed for source in sources)
        return Packed(data, tuple(refs), addresses, entries)

    def _close(self) -> None:
        self._blocks.append((self._level, self._open))
        self._open, self._open_bytes = [], 0

    def _encoded(self, closed: list[tuple[int, list[Source]]]) -> list[bytes]:
        if self._threads <= 1:
            return list(map(_encode, closed))
        with ThreadPoolExecutor(min(self._threads, len(closed))) as pool:
            return list(pool.map(_encode, closed))


def _encode(block: tuple[int, list[Source]]) -> bytes:
    """Without the interpreter's lock, but for putting the entries together."""
    level, sources = block
    return encode_block([source.entry for source in sources], level)


def addresses_of(digest: bytes, ref: BlockRef, sources: list[Source]) -> dict[int, Address]:
    """Each record's share of the block goes by the length of its text; together it is all of it."""
    total = sum(size_of(source.entry) for source in sources)
    addresses, before, taken = {}, 0, 0
    for place, source in enumerate(sources):
        before += size_of(source.entry)
        share = ref.length * before // total - taken
        taken += share
        addresses[source.seq] = Address(
            digest, ref.offset, ref.length, place, xxh3_128_digest(source.entry.text),
            source.was_bytes, share,
        )  # fmt: skip
    return addresses
