"""Gzip from strangers: whole or refused, and never much more than it is worth."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.limits import MIB
from memtend.limits_foreign import GUNZIP_FREE_BYTES, GUNZIP_MEMBERS_MAX, GUNZIP_RATIO_MAX
from memtend.migrate.files import unzipped
from memtend.migrate.gunzip import gunzip, pieces_of
from memtend.model.unreadable import Unreadable

TEXT = b'[{"id": "p1", "text": "long enough to be hit"}]'
PACKED = gzip.compress(TEXT, mtime=0)


def zeros(mib: int) -> bytes:
    """Gzip of so many MiB of zeros, without ever having them."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(mib)) + packer.flush()


BOMB = zeros(64)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(0, 20))
def test_several_members_and_padding_are_one_file(parts: list[bytes], padding: int) -> None:
    data = b"".join(gzip.compress(part, mtime=0) for part in parts) + bytes(padding)
    assert gunzip(data) == b"".join(parts) == gzip.decompress(data)


@given(st.binary(max_size=100_000), st.integers(1, 70_000))
def test_pieces_do_not_depend_on_how_it_was_cut(text: bytes, size: int) -> None:
    data = gzip.compress(text, 1, mtime=0)
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    assert b"".join(pieces_of(chunks)) == text


@pytest.mark.parametrize("end", range(len(PACKED)))
def test_what_is_cut_off_anywhere_is_unreadable(end: int) -> None:
    with pytest.raises(Unreadable, match="cut off"):
        gunzip(PACKED[:end])


@pytest.mark.parametrize("at", range(len(PACKED)))
def test_what_is_damaged_anywhere_is_not_taken_for_something_else(at: int) -> None:
    """A flipped bit in the header's time or the like changes nothing that matters."""
    damaged = bytearray(PACKED)
    damaged[at] ^= 0x10
    try:
        assert gunzip(bytes(damaged)) == TEXT
    except Unreadable:
        return


def test_other_bytes_after_the_end_are_no_padding() -> None:
    with pytest.raises(Unreadable, match="bytes after its end"):
        gunzip(PACKED + b"more")


def test_a_bomb_is_refused_early() -> None:
    """What counts is the work: bytes that were unpacked before it was seen."""
    sizes: list[int] = []
    with pytest.raises(Unreadable, match="far more than a file of its size"):
        sizes.extend(map(len, pieces_of([BOMB])))
    assert sum(sizes) <= max(GUNZIP_FREE_BYTES, GUNZIP_RATIO_MAX * len(BOMB)) < 64 * MIB


@pytest.mark.parametrize(
    "bomb",
    [
        BOMB,
        gzip.compress(BOMB, mtime=0),
        gzip.compress(PACKED, mtime=0)[:-1],
        gzip.compress(gzip.compress(PACKED)),
        gzip.compress(b"", mtime=0) * (GUNZIP_MEMBERS_MAX + 1),
    ],
)
def test_bombs_of_every_kind(bomb: bytes) -> None:
    with pytest.raises(Unreadable):
        unzipped(bomb)


def test_a_backup_packs_what_was_packed() -> None:
    assert unzipped(gzip.compress(PACKED)) == unzipped(PACKED) == unzipped(TEXT) == TEXT


def test_repetition_alone_is_no_bomb() -> None:
    items = b'{"id": "%08d", "text": "the same in every item of this file, as tests have it"},\n'
    text = b"".join(items % n for n in range(200_000))
    assert len(text) > GUNZIP_FREE_BYTES
    assert gunzip(gzip.compress(text, 9)) == text
