"""Deltas on their way: pages of at most 64 MiB, each checked before it is believed.

    magic "MEMTDLT\\0" | format u16 | header length u32 | digest | header | one zstd frame

The digest covers header and frame. The header is a msgpack list: page number, whether it is the
last, digest of the page before, raw length, and on the first page the head. So pages of different
deltas cannot be mixed, reordered or left out unnoticed. The frame holds the items, each a u32
length and a msgpack list; siblings are in the order of their dots. Integers are big-endian.

A path whose siblings do not fit beside each other is told in several items, one after another.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import ormsgpack
from xxhash import xxh3_64_intdigest, xxh3_128_digest

from memtend.codec.envelope import Body, edge_of
from memtend.errors import DeltaRefused, LimitExceeded
from memtend.formats import DELTA_FORMAT
from memtend.limits import (
    DELTA_HEADER_BYTES_MAX,
    DELTA_PAGE_BYTES,
    DELTA_PAGE_BYTES_MAX,
    ZSTD_LEVEL,
)
from memtend.model.delta import Carried, DeltaHead, Ended, Item, Named, Told
from memtend.model.dot import Dot

MAGIC: Final = b"MEMTDLT\0"
_PREFIX: Final = struct.Struct(">8sHI16s")
_LENGTH: Final = struct.Struct(">I")
_NAMED, _CARRIED = 0, 1
FIRST: Final = bytes(16)
"""What the first page names as the page before."""


class Page(NamedTuple):
    """One page, opened. `head` comes with the first."""

    number: int
    last: bool
    after: bytes
    head: DeltaHead | None
    raw: bytes
    digest: bytes

    def items(self) -> Iterator[Item]:
        """The items; raises `DeltaRefused` where they are none."""
        raw, at, end = self.raw, 0, len(self.raw)
        while at < end:
            start = at + _LENGTH.size
            if start > end:
                raise DeltaRefused(why="a page ends within an item")
            at = start + _LENGTH.unpack_from(raw, at)[0]
            if at > end:
                raise DeltaRefused(why="a page ends within an item")
            yield _item(raw[start:at])


def write_pages(head: DeltaHead, items: Iterable[Item]) -> Iterator[bytes]:
    """The pages of a delta; always at least one."""
    after, number = FIRST, 0
    packed: list[bytes] = []
    size = 0
    for one in items:
        for part in _parts(one):
            data = _pack_item(part)
            if packed and size + len(data) > DELTA_PAGE_BYTES:
                page, after = _page(number, False, after, head, packed)
                yield page
                number, packed, size = number + 1, [], 0
            packed.append(data)
            size += len(data)
    yield _page(number, True, after, head, packed)[0]


def read_page(data: bytes) -> Page:
    """Open a page; raises `DeltaRefused` on anything else. Costs at most the limit in memory."""
    try:
        magic, number, length, digest = _PREFIX.unpack_from(data)
    except struct.error as error:
        raise DeltaRefused(why="it is too short for a page") from error
    if magic != MAGIC:
        raise DeltaRefused(why="it is not a page of a delta")
    if number != DELTA_FORMAT:
        raise DeltaRefused(why=f"delta format {number} is not known")
    start = _PREFIX.size + length
    if length > DELTA_HEADER_BYTES_MAX or start > len(data):
        raise DeltaRefused(why=f"a header of {length:,} bytes")
    if xxh3_128_digest(data[_PREFIX.size :]) != digest:
        raise DeltaRefused(why="a page does not match its digest")
    try:
        page, last, after, raw_bytes, head = ormsgpack.unpackb(data[_PREFIX.size : start])
        typed = (type(page), type(last), type(after), type(raw_bytes)) == (int, bool, bytes, int)
        if not typed or (head is None) != (page > 0) or len(after) != len(FIRST):
            raise ValueError(page)
        opened = None if head is None else _head(head)
    except (ValueError, TypeError) as error:
        raise DeltaRefused(why="the header of a page cannot be read") from error
    return Page(page, last, after, opened, _decompressed(data[start:], raw_bytes), digest)


def mark_of(exp_ms: int | None, body: bytes, content: int) -> int:
    """64 bits over all that a sibling is, however it is stored."""
    return xxh3_64_intdigest(b"".join((edge_of(0, exp_ms), content.to_bytes(8, signed=True), body)))


def plain_body(body: Body, packed: bytes) -> bytes:
    """A body as it travels: which dictionary squeezed the value is a matter of each store."""
    return packed if body.dictionary is None else body._replace(dictionary=None).pack()


def _page(
    number: int, last: bool, after: bytes, head: DeltaHead, packed: list[bytes]
) -> tuple[bytes, bytes]:
    import zstandard  # noqa: PLC0415 — most commands never sync

    raw = b"".join(packed)
    if len(raw) > DELTA_PAGE_BYTES_MAX:
        where = "/".join(_item(packed[0][_LENGTH.size :]).path)
        limit = DELTA_PAGE_BYTES_MAX
        raise LimitExceeded(what="record", name=where, actual=len(raw), limit=limit)
    frame = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(raw)
    listed = None if number else _pack_head(head)
    header = ormsgpack.packb((number, last, after, len(raw), listed))
    if len(header) > DELTA_HEADER_BYTES_MAX:
        limit = DELTA_HEADER_BYTES_MAX
        raise LimitExceeded(what="vectors", name="delta", actual=len(header), limit=limit)
    digest = xxh3_128_digest(header + frame)
    return _PREFIX.pack(MAGIC, DELTA_FORMAT, len(header), digest) + header + frame, digest


def _decompressed(frame: bytes, raw_bytes: int) -> bytes:
    import zstandard  # noqa: PLC0415

    if not 0 <= raw_bytes <= DELTA_PAGE_BYTES_MAX:
        raise DeltaRefused(why=f"a page of {raw_bytes:,} bytes")
    try:
        if zstandard.frame_content_size(frame) != raw_bytes:
            raise DeltaRefused(why="a frame states another length than its page")
        maker = zstandard.ZstdDecompressor()
        raw: bytes = maker.decompress(frame, max_output_size=raw_bytes, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise DeltaRefused(why="a frame cannot be decompressed") from error
    if len(raw) != raw_bytes:
        raise DeltaRefused(why="a frame is shorter than it states")
    return raw


def _pack_head(head: DeltaHead) -> list[Any]:
    return [
        bytes.fromhex(head.sender), bytes.fromhex(head.store_id), head.epoch, _pack_vector(head.vv),
        _pack_vector(head.since), head.full, _pack_vector(head.floor), head.hlc, head.sent_ms,
        _pack_vector(head.heard),
    ]  # fmt: skip


def _head(cells: list[Any]) -> DeltaHead:
    sender, store, epoch, vv, since, full, floor, hlc, sent_ms, heard = cells
    numbers = (epoch, hlc, sent_ms)
    if type(full) is not bool or any(type(number) is not int for number in numbers):
        raise ValueError("a head has a value of the wrong type")
    return DeltaHead(
        _id(sender), _id(store), epoch, _vector(vv), _vector(since), full, _vector(floor), hlc,
        sent_ms, _vector(heard),
    )  # fmt: skip


def _pack_vector(vector: Mapping[str, int]) -> list[tuple[bytes, int]]:
    return [(bytes.fromhex(replica), vector[replica]) for replica in sorted(vector)]


def _vector(pairs: Any) -> dict[str, int]:
    vector = {_id(replica): _whole(n) for replica, n in pairs}
    if len(vector) != len(pairs) or list(vector) != sorted(vector):
        raise ValueError("a vector is not in order")
    return vector


def _id(data: Any) -> str:
    if type(data) is not bytes or len(data) != 16:
        raise ValueError("an id has 128 bits")
    return data.hex()


def _whole(number: Any) -> int:
    if type(number) is not int:
        raise ValueError("expected a whole number")
    return number


def _parts(item: Item) -> Iterator[Item]:
    sizes = [len(s.body) + len(s.text) for s in item.siblings if isinstance(s, Carried)]
    if sum(sizes) <= DELTA_PAGE_BYTES:
        yield item
        return
    for number, told in enumerate(item.siblings):
        yield item._replace(siblings=(told,), ended=() if number else item.ended)


def _pack_item(item: Item) -> bytes:
    siblings = [
        (_NAMED, bytes.fromhex(told.dot.replica), told.dot.n, told.mark)
        if isinstance(told, Named)
        else (_CARRIED, *told)
        for told in item.siblings
    ]
    ended = [(bytes.fromhex(e.dot.replica), e.dot.n, e.at_ms, e.why) for e in item.ended]
    packed = ormsgpack.packb((*item.path, siblings, ended))
    return _LENGTH.pack(len(packed)) + packed


def _item(packed: bytes) -> Item:
    try:
        namespace, key, field, siblings, ended = ormsgpack.unpackb(packed)
        told = tuple([_told(*cells) for cells in siblings])
        gone = tuple([Ended(Dot(_id(r), n), at_ms, why) for r, n, at_ms, why in ended])
    except (ValueError, TypeError) as error:
        raise DeltaRefused(why="an item cannot be read") from error
    return Item(namespace, key, field, told, gone)


def _told(kind: Any, one: Any, two: Any, three: Any) -> Told:
    if kind == _NAMED:
        return Named(Dot(_id(one), two), three)
    if kind == _CARRIED:
        return Carried(one, two, three)
    raise ValueError(kind)
