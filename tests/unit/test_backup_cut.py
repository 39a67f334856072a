"""Cutting: a small change touches few segments, and no segment is too long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memtend.backup.cut import cut
from memtend.codec.segment import Table, decode
from memtend.model.stored import StoredRow
from tests.fixtures.backups import made_snapshot, row

TARGET, CAP = 8_000, 64_000


def names(rows: list[StoredRow]) -> list[bytes]:
    return [one.seal() for one in cut(rows, Table.SIBLING, "0001", target=TARGET, cap=CAP)]


ROWS = list(made_snapshot(1_000, value_bytes=200).stored)
SEGMENTS = names(ROWS)


@given(st.integers(0, 999), st.binary(max_size=2_000))
def test_an_update_changes_one_segment_or_splits_or_joins_two(at: int, value: bytes) -> None:
    old = ROWS[at]
    changed = [*ROWS]
    changed[at] = row(old.namespace, old.key, value)
    now = names(changed)
    assert len(set(SEGMENTS) - set(now)) <= 2
    assert len(set(now) - set(SEGMENTS)) <= 2


@given(st.integers(0, 6), st.from_regex(r"task/[0-9]{6}x", fullmatch=True))
def test_an_insert_leaves_all_other_segments(agent: int, key: str) -> None:
    now = names(sorted([*ROWS, row(f"agent-{agent}/memory", key, b"new")]))
    assert len(set(SEGMENTS) - set(now)) <= 1
    assert len(set(now) - set(SEGMENTS)) <= 2


def test_segments_are_about_as_long_as_the_target() -> None:
    sizes = [one.raw_bytes for one in cut(ROWS, Table.SIBLING, "0001", target=TARGET, cap=CAP)]
    assert TARGET / 2 < sum(sizes) / len(sizes) < TARGET * 2
    assert max(sizes) <= CAP


def test_one_key_with_many_siblings_is_cut_at_the_cap() -> None:
    rows = [row("a", "k", bytes(1_000), n=n) for n in range(200)]
    pieces = list(cut(rows, Table.SIBLING, "0001", target=10**9, cap=10_000))
    assert len(pieces) > 10
    assert max(one.raw_bytes for one in pieces) <= 10_000
    assert [one for piece in pieces for one in decode(piece.seal())[1]] == rows


def test_nothing_makes_no_segment() -> None:
    assert names([]) == []
