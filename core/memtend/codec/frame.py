"""A small document as one zstd frame: a manifest, a head. Bounded before it is believed."""

from __future__ import annotations

from memtend.codec.compress import Damaged
from memtend.limits import ZSTD_LEVEL


def pack_frame(text: bytes) -> bytes:
    import zstandard  # noqa: PLC0415 — most processes read and write none

    return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(text)


def unpack_frame(data: bytes, limit: int) -> bytes:
    """What `pack_frame` packed, at most `limit` bytes of it; raises `Damaged`."""
    import zstandard  # noqa: PLC0415

    try:
        if not 0 <= zstandard.frame_content_size(data) <= limit:
            raise Damaged("it states no length, or too great a one")
        return zstandard.ZstdDecompressor().decompress(data, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise Damaged("it cannot be decompressed") from error
