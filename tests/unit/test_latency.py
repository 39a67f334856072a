"""Buckets of latencies: which one a time falls in, and what quantiles say of it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.model.latency import bounds_of, bucket_of, latency, quantile_ms

NS = st.integers(min_value=8, max_value=2**44 - 1)


@given(NS)
def test_a_time_is_in_its_bucket_which_is_at_most_a_quarter_wide(ns: int) -> None:
    low, high = bounds_of(bucket_of(ns))
    assert low <= ns < high
    assert high - low <= max(1, low / 4)


@given(NS, NS)
def test_a_longer_time_is_in_no_lower_bucket(one: int, other: int) -> None:
    assert bucket_of(min(one, other)) <= bucket_of(max(one, other))


def test_no_time_is_outside_of_the_buckets() -> None:
    assert bucket_of(0) == bucket_of(8)
    assert bucket_of(2**80) == bucket_of(2**44 - 1)


@given(st.lists(NS, min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_within_its_bucket_of_the_true_one(times: list[int], share: float) -> None:
    times.sort()
    counts = Counter(map(bucket_of, times))
    true = next(t for n, t in enumerate(times, 1) if n >= share * len(times))
    low, high = bounds_of(bucket_of(true))
    assert low <= quantile_ms(counts, share) * 1e6 <= high


def test_quantiles_are_in_order_and_counts_are_sums() -> None:
    found = latency("get", "hot", {60: 90, 64: 9, 100: 1})
    assert found.operations == 100
    assert found.p50_ms < found.p95_ms < found.p99_ms


def test_nothing_has_no_quantile() -> None:
    with pytest.raises(ValueError, match="nothing"):
        quantile_ms({}, 0.5)
