"""Segments: what is written is read, and nothing else is."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import ormsgpack
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from memtend.codec import segment
from memtend.codec.compress import Damaged
from memtend.codec.segment import Row, SegmentKind, Table, decode, encode
from memtend.errors import LimitExceeded
from memtend.limits import SEGMENT_BYTES_MAX
from memtend.model.stored import LogRow, StoredRow

NAMES = st.from_regex(r"[a-z0-9]{1,6}(/[a-z0-9]{1,6}){0,2}", fullmatch=True)
NUMBERS = st.integers(0, 2**63 - 1)
SIBLINGS = st.builds(
    StoredRow,
    NAMES,
    NAMES,
    st.just("") | NAMES,
    NUMBERS,
    st.none() | NUMBERS,
    st.integers(0, 511),
    st.binary(max_size=40),
    st.binary(max_size=200),
    st.binary(min_size=16, max_size=16),
    st.integers(-(2**63), 2**63 - 1),
)
LOGS = st.builds(
    LogRow,
    NAMES,
    NAMES,
    st.just(""),
    st.just("a" * 32),
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.sampled_from(("deleted", "swept")),
)


def in_order(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=segment.key_of)


@given(st.lists(SIBLINGS, min_size=1, max_size=30).map(in_order))
def test_siblings_come_back(rows: list[Row]) -> None:
    header, read = decode(encode(SegmentKind.BASE, Table.SIBLING, "0001", rows))
    assert list(read) == rows
    assert (header.first, header.last) == (rows[0][:3], rows[-1][:3])
    assert header.rows == len(rows)


@given(st.lists(LOGS, min_size=1, max_size=30).map(in_order))
def test_log_entries_come_back(rows: list[Row]) -> None:
    header, read = decode(encode(SegmentKind.DELTA, Table.LOG, "0001", rows))
    assert list(read) == rows
    assert header.kind == "delta"


@given(st.lists(SIBLINGS, min_size=1, max_size=5).map(in_order), st.data())
def test_damage_raises_nothing_but_damaged(rows: list[Row], data: st.DataObject) -> None:
    """Any byte changed, or any length: decoding ends, with `Damaged` or with rows."""
    sound = bytearray(encode(SegmentKind.BASE, Table.SIBLING, "0001", rows))
    at = data.draw(st.integers(0, len(sound) - 1))
    sound[at] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(sound)))
    for damaged in (bytes(sound), bytes(sound[:cut])):
        try:
            list(decode(damaged)[1])
        except Damaged:
            continue


def row(key: str) -> StoredRow:
    return StoredRow("a", key, "", 1, None, 0, b"body", b"value", b"h" * 16)


def forged(cells: Sequence[Sequence[object]], **changes: object) -> bytes:
    """A segment whose header or rows do not fit; every length is right."""
    packed = [ormsgpack.packb(list(one)) for one in cells]
    raw = b"".join(struct.pack(">I", len(one)) + one for one in packed)
    fields = {
        "kind": "base",
        "table": "sibling",
        "schema": "0001",
        "first": list(cells[0][:3]),
        "last": list(cells[-1][:3]),
        "rows": len(cells),
        "raw_bytes": len(raw),
        "dictionary": None,
        "key_id": None,
    }
    head = ormsgpack.packb(list((fields | changes).values()))
    return struct.pack(">8sHI", b"MEMTSEG\0", 1, len(head)) + head + zstandard.compress(raw)


SOUND: Sequence[Sequence[object]] = [list(row("k1")), list(row("k2"))]


def test_the_forgery_is_sound_when_nothing_is_changed() -> None:
    assert list(decode(forged(SOUND))[1]) == [row("k1"), row("k2")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MEMTSEG\0",
        b"X" + forged(SOUND)[1:],
        forged(SOUND)[:8] + b"\0\x02" + forged(SOUND)[10:],
        forged(SOUND)[:10] + b"\xff\xff\xff\xff" + forged(SOUND)[14:],
        forged(SOUND) + b"\0",
        forged(SOUND)[:-1],
        forged(SOUND, rows=1),
        forged(SOUND, rows=3),
        forged(SOUND, rows=0),
        forged(SOUND, rows="2"),
        forged(SOUND, raw_bytes=10),
        forged(SOUND, raw_bytes=SEGMENT_BYTES_MAX + 1),
        forged(SOUND, kind="archive"),
        forged(SOUND, table="log"),
        forged(SOUND, table="users"),
        forged(SOUND, schema=7),
        forged(SOUND, first=["a", "k0", ""]),
        forged(SOUND, last=["a", "k3", ""]),
        forged(SOUND, first=["a", "k1"]),
        forged(SOUND, first=["a", "k1", 3]),
        forged(SOUND, dictionary=4),
        forged(SOUND, key_id="k"),
        forged(SOUND[::-1]),
        forged([[*row("k1"), 1]]),
        forged([list(row("k1"))[:8]]),
        forged([[*row("k1")[:7], "text", b"h"]]),
    ],
)
def test_what_does_not_fit_is_damaged(data: bytes) -> None:
    with pytest.raises(Damaged):
        list(decode(data)[1])


def test_a_bomb_is_refused_unopened() -> None:
    bomb = zstandard.compress(bytes(SEGMENT_BYTES_MAX * 2))
    head = forged(SOUND, raw_bytes=SEGMENT_BYTES_MAX)
    start = segment.read_header(head)[1]
    with pytest.raises(Damaged):
        decode(head[:start] + bomb)


def test_a_segment_has_rows_and_an_end() -> None:
    key = ("a", "k", "")
    for packed in ([], [bytes(SEGMENT_BYTES_MAX + 1)]):
        with pytest.raises(LimitExceeded):
            segment.seal(
                SegmentKind.BASE, Table.SIBLING, "0001", packed=packed, first=key, last=key
            )
