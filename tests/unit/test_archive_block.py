"""Blocks and addresses: what goes in comes out, and what was changed is noticed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.archive.packing import Packer, Source
from memtend.codec.archive import Entry, decode_block, encode_block, size_of
from memtend.codec.compress import Damaged
from memtend.limits import ARCHIVE_BLOCK_BYTES, ARCHIVE_OBJECT_BYTES

NAMES = st.text("abc/", max_size=20)
ENTRIES = st.builds(
    Entry, NAMES, NAMES, st.binary(max_size=80), st.none() | st.integers(0, 2**53),
    st.integers(1, 2**40), st.integers(0, 2**53), NAMES, st.binary(max_size=500),
)  # fmt: skip


def entry(number: int, text: bytes) -> Entry:
    return Entry("notes", f"k{number}", b"body", None, 1, 5, "old", text)


@given(st.lists(ENTRIES, min_size=1, max_size=30), st.sampled_from((1, 12)))
def test_a_block_gives_back_what_went_in(entries: list[Entry], level: int) -> None:
    """Entry by entry and all at once."""
    block = decode_block(encode_block(entries, level))
    assert list(block.entries()) == entries
    assert [block.text(n) for n in range(block.records)] == [one.text for one in entries]


def test_threads_pack_the_same_object() -> None:
    """Byte by byte, with the same addresses: whatever level each block has."""
    dice = random.Random(5)
    sources = [
        Source(seq, entry(seq, dice.randbytes(9_000) + bytes(9_000)), 20_000)
        for seq in range(1, 60)
    ]
    made = []
    for threads in (0, 1, 3, 64):
        packer = Packer(lambda block: block[::-1], threads)
        for source in sources:
            packer.add(source, 1 + source.seq // 20)
        made.append(packer.finish())
    assert made[0] is not None
    assert len(made[0].blocks) > 4
    assert made == [made[0]] * 4


@given(st.lists(ENTRIES, min_size=1, max_size=40), st.integers(1, 300))
def test_every_address_leads_to_its_record(entries: list[Entry], share: int) -> None:
    """And the shares of all records together are the object."""
    packer = Packer(bytes)
    for seq, one in enumerate(entries, start=1):
        packer.add(Source(seq, one, share), 1 + seq % 2)
    packed = packer.finish()
    assert packed is not None
    assert packer.finish() is None
    for seq, one in enumerate(entries, start=1):
        at = packed.addresses[seq]
        block = decode_block(packed.data[at.offset : at.offset + at.length])
        assert block.entry(at.place) == one
        assert at.was_bytes == share
    assert sum(at.kept_bytes for at in packed.addresses.values()) == len(packed.data)
    assert sum(ref.length for ref in packed.blocks) == len(packed.data)


def test_blocks_and_objects_are_bounded() -> None:
    """A block stays within its size unless one value alone is larger; an object says when."""
    packer = Packer(bytes)
    dice = random.Random(3)
    texts = [dice.randbytes(size) for size in (1_000,) * 600 + (400_000, 1_000)]
    for seq, text in enumerate(texts, start=1):
        packer.add(Source(seq, entry(seq, text), 0), 1)
    packed = packer.finish()
    assert packed is not None
    sizes = []
    for ref in packed.blocks:
        block = decode_block(packed.data[ref.offset : ref.offset + ref.length])
        assert block.records == ref.records
        sizes.append((block.records, sum(size_of(one) for one in block.entries())))
    assert all(records == 1 or size <= ARCHIVE_BLOCK_BYTES for records, size in sizes)
    assert len(sizes) == 5
    packer.add(Source(1, entry(1, bytes(ARCHIVE_OBJECT_BYTES)), 0), 1)
    assert packer.is_full


def test_no_flipped_bit_of_a_block_gives_another_value() -> None:
    """A bit that the format leaves unused changes nothing; the object's hash covers those too."""
    entries = [entry(n, f"value {n}".encode() * 9) for n in range(5)]
    data = encode_block(entries, 3)
    unnoticed = 0
    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            try:
                assert list(decode_block(bytes(changed)).entries()) == entries
            except Damaged:
                continue
            unnoticed += 1
    assert unnoticed < 8


def test_every_cut_and_every_extension_is_noticed() -> None:
    data = encode_block([entry(n, b"x" * 50) for n in range(3)], 3)
    for length in range(len(data)):
        with pytest.raises(Damaged):
            decode_block(data[:length])
    for more in (b"\0", data):
        with pytest.raises(Damaged):
            decode_block(data + more)
    with pytest.raises(Damaged):
        decode_block(data).text(3)
