"""Compressing what is written as a stream, by the ending of the name."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, cast

from memtend.limits import ZSTD_LEVEL

_GZIP_LEVEL: Final = 6
_GZIP_BITS: Final = 31
_START_BYTES: Final = 64


@contextmanager
def packed(stream: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Whole only when left without an error. The same bytes in give the same bytes out."""
    if name.endswith(".gz"):
        with gzip.GzipFile("", "wb", _GZIP_LEVEL, stream, mtime=0) as file:
            yield cast("BinaryIO", file)
    elif name.endswith(".zst"):
        import zstandard  # noqa: PLC0415

        maker = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True)
        with maker.stream_writer(stream, closefd=False) as writer:
            yield cast("BinaryIO", writer)
    else:
        yield stream


def start_of(data: bytes, name: str) -> bytes:
    """The first bytes of what begins with `data` when packed; empty where that is something else.

    `data` must hold the first block.
    """
    if name.endswith(".gz"):
        try:
            return zlib.decompressobj(_GZIP_BITS).decompress(data, _START_BYTES)
        except zlib.error:
            return b""
    if name.endswith(".zst"):
        import zstandard  # noqa: PLC0415

        try:
            with zstandard.ZstdDecompressor().stream_reader(data) as reader:
                return reader.read(_START_BYTES)
        except zstandard.ZstdError:
            return b""
    return data[:_START_BYTES]


class Counted:
    """A stream that knows how much has been written to it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.size = 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        return self._stream.write(data)

    def flush(self) -> None:
        self._stream.flush()

    def tell(self) -> int:
        return self.size

    @property
    def closed(self) -> bool:
        return self._stream.closed

    def close(self) -> None:
        """Whoever opened the stream closes it."""
