"""Where samples look: nowhere twice, and in step with nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.limits_upkeep import (
    METRIC_SAMPLE_ROWS,
    METRIC_SAMPLE_STRETCHES,
    REPORT_SAMPLE_ROWS,
    REPORT_SAMPLE_WINDOWS,
)
from memtend.store.stretches import stretches


@given(
    st.integers(min_value=1, max_value=10**12),
    st.integers(min_value=1, max_value=10**9),
    st.floats(min_value=1e-7, max_value=1),
)
def test_no_change_number_is_looked_at_twice(first: int, length: int, share: float) -> None:
    found = list(stretches(first, first + length, share, REPORT_SAMPLE_WINDOWS))
    assert len(found) <= REPORT_SAMPLE_WINDOWS
    edges = [edge for stretch in found for edge in stretch]
    assert edges == sorted(edges)
    assert all(start < end for start, end in found)
    assert not found or (first <= edges[0] and edges[-1] <= first + length)


@pytest.mark.parametrize("length", [10_000, 40_000, 64_000, 100_000, 400_000, 1_234_567])
@pytest.mark.parametrize("cycle", [2, 3, 4, 7, 10, 50, 100])
@pytest.mark.parametrize(
    ("rows", "parts"),
    [(REPORT_SAMPLE_ROWS, REPORT_SAMPLE_WINDOWS), (METRIC_SAMPLE_ROWS, METRIC_SAMPLE_STRETCHES)],
)
def test_what_repeats_is_seen_as_often_as_it_is_there(
    length: int, cycle: int, rows: int, parts: int
) -> None:
    """Records written in turns: at equal distances some turns would never be looked at."""
    seen = hits = 0
    for start, end in stretches(1, 1 + length, rows / length, parts):
        seen += end - start
        hits += sum(number % cycle == 0 for number in range(start, end))
    assert seen == pytest.approx(rows, rel=0.05)
    assert hits / seen == pytest.approx(1 / cycle, rel=0.15)
