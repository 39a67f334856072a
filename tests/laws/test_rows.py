"""Laws of one key: what a reader sees, what a sweep drops, how a counter is kept."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.crdt import rows, tally
from memtend.crdt.causal import Dot
from memtend.crdt.counters import Totals
from memtend.crdt.rows import Reading, RowKind, Sibling
from memtend.errors import LimitExceeded
from memtend.limits import INTEGER_ABS_MAX, SWEEP_MARGIN_MS

deadlines = st.none() | st.integers(0, 10) | st.integers(0, 4 * SWEEP_MARGIN_MS)
epochs = st.builds(tally.Epoch, st.integers(0, 1), st.sampled_from("ab"))
times = st.integers(0, 4 * SWEEP_MARGIN_MS)


@st.composite
def siblings(draw: st.DrawFn, kind: RowKind = RowKind.PLAIN) -> list[Sibling]:
    """Up to six siblings with different dots, some with the same time or the same text."""
    numbers, made = count(1), []
    for _ in range(draw(st.integers(0, 6))):
        dot = Dot(draw(st.sampled_from("abc")), next(numbers))
        part = tally.Part(draw(epochs), Totals(draw(st.integers(0, 9)), 0)).text()
        text = part if kind is RowKind.COUNTER else b"%d" % draw(st.integers(0, 3))
        made.append(Sibling(dot, draw(st.integers(0, 3)), draw(deadlines), text, kind))
    return made


@given(siblings(), st.sampled_from(Reading), times, times)
def test_sweeping_never_changes_what_a_reader_sees(
    held: list[Sibling], reading: Reading, swept_ms: int, later_ms: int
) -> None:
    """6.7, for values."""
    gone = rows.swept(held, swept_ms, swept_ms)
    left = [s for s in held if s not in gone]
    now_ms = swept_ms + later_ms
    assert rows.visible(left, reading, now_ms) == rows.visible(held, reading, now_ms)


@given(siblings(RowKind.COUNTER), times, times, st.integers(-5, 5))
def test_sweeping_never_changes_a_counter(
    held: list[Sibling], swept_ms: int, later_ms: int, by: int
) -> None:
    """6.7, for counters: neither a reading nor the result of the next increment."""
    gone = rows.swept(held, swept_ms, swept_ms)
    left = [s for s in held if s not in gone]
    now_ms, dot = swept_ms + later_ms, Dot("a", 99)
    assert gone in ((), tuple(sorted(held)))
    assert tally.value(left, now_ms) == tally.value(held, now_ms)
    facts: dict[str, Any] = {"dot": dot, "hlc": 9, "exp_ms": None, "now_ms": now_ms}
    one, _ = tally.increment(held, by, was_here=False, **facts)
    other, _ = tally.increment(left, by, was_here=bool(gone), **facts)
    assert one == other


@given(siblings(), times)
def test_readers_see_the_newest_or_all_in_order(held: list[Sibling], now_ms: int) -> None:
    """4.4: both readings come from the same state."""
    alive = [s for s in held if s.exp_ms is None or now_ms < s.exp_ms]
    everything = rows.visible(held, Reading.MV, now_ms)
    assert sorted(everything) == sorted(alive)
    assert [s.text for s in everything] == sorted(s.text for s in alive)
    for newest in rows.visible(held, Reading.LWW, now_ms):
        assert all(newest.order >= s.order for s in alive)
    assert rows.visible(held, Reading.LWW, now_ms) == rows.visible(held[::-1], Reading.LWW, now_ms)


@given(siblings(), st.dictionaries(st.sampled_from("abc"), st.integers(0, 7)))
def test_writer_replaces_only_what_it_has_read(
    held: list[Sibling], context: dict[str, int]
) -> None:
    """4.3."""
    assert rows.kept_by_write(held) == ()
    kept = rows.kept_by_write(held, context)
    assert all(s.dot.n > context.get(s.dot.replica, 0) for s in kept)
    assert all(s in kept or s.dot.n <= context.get(s.dot.replica, 0) for s in held)
    assert rows.is_exactly(held, [s.dot for s in held])
    assert not rows.is_exactly(held, [*(s.dot for s in held), Dot("d", 1)])


@given(
    st.builds(tally.Epoch, st.integers(0, 2**63 - 1), st.sampled_from(["", "a", "9" * 32])),
    st.integers(0, INTEGER_ABS_MAX),
    st.integers(0, INTEGER_ABS_MAX),
)
def test_part_is_written_exactly(epoch: tally.Epoch, plus: int, minus: int) -> None:
    part = tally.Part(epoch, Totals(plus, minus))
    assert tally.Part.of(part.text()) == part


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"7",
        b"[1,2,3]",
        b"[0,0,-1,0]",
        b'["0",0,0,0]',
        b"[0,65536,0,0]",
        b"[0,0,0,1.0]",
        b'[0,0,0,0,""]',
        b'[0,0,0,0,"a b"]',
        b"[0,0,0,0,1]",
    ],
)
def test_damaged_part_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        tally.Part.of(text)


def test_total_stays_exact() -> None:
    """A total that JSON cannot hold is refused, not bent."""
    facts: dict[str, Any] = {"dot": Dot("a", 1), "hlc": 1, "exp_ms": None}
    facts |= {"now_ms": 0, "was_here": False}
    with pytest.raises(LimitExceeded):
        tally.increment([], INTEGER_ABS_MAX + 1, **facts)
