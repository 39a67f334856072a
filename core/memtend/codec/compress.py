"""Compression of values: raw, gzip (imports only), zstd, zstd with a trained dictionary.

Decompression is bounded by the size that the row's hashed body states, so a bomb costs nothing.
"""

from __future__ import annotations

import threading
import zlib
from enum import IntEnum
from typing import TYPE_CHECKING

from memtend.limits import VALUE_BYTES_MAX

if TYPE_CHECKING:
    from zstandard import ZstdCompressionDict


class Codec(IntEnum):
    """How the bytes of a value are stored. The number is in every row and never changes.

    `ARCHIVED`: the value is elsewhere, and `codec.address` says where.
    """

    RAW = 0
    GZIP = 1
    ZSTD = 2
    ZSTD_DICT = 3
    ARCHIVED = 4


class Damaged(ValueError):
    """Bytes that cannot be what was written."""


_local = threading.local()


def compress(text: bytes, level: int, dictionary: ZstdCompressionDict | None = None) -> bytes:
    """One zstd frame that states its content size."""
    import zstandard  # noqa: PLC0415 — most commands never compress

    cached = getattr(_local, "compressor", None)
    if cached is None or cached[0] != level or cached[1] is not dictionary:
        maker = zstandard.ZstdCompressor(level=level, dict_data=dictionary)
        cached = _local.compressor = (level, dictionary, maker)
    packed: bytes = cached[2].compress(text)
    return packed


def decompress(
    codec: int, data: bytes, size: int, dictionary: ZstdCompressionDict | None = None
) -> bytes:
    """The `size` bytes that were stored; raises `Damaged` when they are not there."""
    if not 0 <= size <= VALUE_BYTES_MAX:
        raise Damaged(f"a value of {size} bytes")
    if codec == Codec.RAW:
        text = data
    elif codec == Codec.GZIP:
        text = _gunzip(data, size)
    elif codec in (Codec.ZSTD, Codec.ZSTD_DICT):
        text = _unzstd(data, size, dictionary)
    else:
        raise Damaged(f"codec {codec} is not known")
    if len(text) != size:
        raise Damaged(f"{len(text)} bytes instead of {size}")
    return text


def _gunzip(data: bytes, size: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        text = unpacker.decompress(data, size + 1)
    except zlib.error as error:
        raise Damaged(str(error)) from error
    if not unpacker.eof:
        raise Damaged(f"the gzip stream does not end after {size} bytes")
    return text


def _unzstd(data: bytes, size: int, dictionary: ZstdCompressionDict | None) -> bytes:
    import zstandard  # noqa: PLC0415

    try:
        if zstandard.frame_content_size(data) != size:
            raise Damaged("the frame states another size")
        cached = getattr(_local, "decompressor", None)
        if cached is None or cached[0] is not dictionary:
            maker = zstandard.ZstdDecompressor(dict_data=dictionary)
            cached = _local.decompressor = (dictionary, maker)
        text: bytes = cached[1].decompress(data, max_output_size=size)
    except zstandard.ZstdError as error:
        raise Damaged(str(error)) from error
    return text
