"""Gzip from strangers, in pieces: what does not end, or gives far more than it takes, is refused.

Several members one after the other are one file, as `gzip` itself has it; zeros after the last are
padding. A file that is cut off or has other bytes after its end is unreadable as a whole.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from memtend.limits import KIB
from memtend.limits_foreign import (
    GUNZIP_FREE_BYTES,
    GUNZIP_MEMBERS_MAX,
    GUNZIP_RATIO_MAX,
    IMPORT_FILE_BYTES_MAX,
)
from memtend.model.unreadable import Unreadable

MAGIC: Final = b"\x1f\x8b"
_CHUNK: Final = 64 * KIB
_PIECE: Final = 1_024 * KIB


def gunzip(data: bytes, packed_bytes: int | None = None) -> bytes:
    """All of it; raises `Unreadable`.

    `packed_bytes` is the size of the file in which these bytes were packed themselves.
    """
    most = max(GUNZIP_FREE_BYTES, GUNZIP_RATIO_MAX * (packed_bytes or len(data)))
    most = min(most, IMPORT_FILE_BYTES_MAX)
    view = memoryview(data)
    chunks = (view[at : at + _CHUNK] for at in range(0, len(data), _CHUNK))
    pieces: list[bytes] = []
    given = 0
    for piece in pieces_of(chunks):
        given += len(piece)
        if given > most:
            raise Unreadable(f"it unpacks to more than {most:,} bytes")
        pieces.append(piece)
    return b"".join(pieces)


def pieces_of(chunks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """The bytes of every member, at most a MiB at a time; raises `Unreadable`."""
    inflate = None
    members = taken = given = 0
    for packed in chunks:
        taken += len(packed)
        rest: bytes | memoryview = packed
        while True:
            if inflate is None:
                rest = bytes(rest).lstrip(b"\0") if members else rest
                if not rest:
                    break
                members += 1
                if members > GUNZIP_MEMBERS_MAX:
                    raise Unreadable(f"it has more than {GUNZIP_MEMBERS_MAX:,} gzip members")
                inflate = zlib.decompressobj(wbits=31)
            piece = _inflated(inflate, rest, members)
            given += len(piece)
            if given > max(GUNZIP_FREE_BYTES, GUNZIP_RATIO_MAX * taken):
                raise Unreadable("it unpacks to far more than a file of its size can hold")
            if piece:
                yield piece
            if inflate.eof:
                rest, inflate = inflate.unused_data, None
            elif inflate.unconsumed_tail or len(piece) == _PIECE:
                rest = inflate.unconsumed_tail
            else:
                break
    if inflate is not None or not members:
        raise Unreadable("its gzip data is cut off")


def _inflated(inflate: zlib._Decompress, packed: bytes | memoryview, members: int) -> bytes:
    try:
        return inflate.decompress(packed, _PIECE)
    except zlib.error:
        why = "its gzip data is damaged"
        raise Unreadable(why if members == 1 else f"{why}, or has bytes after its end") from None
