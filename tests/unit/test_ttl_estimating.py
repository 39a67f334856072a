"""Replaying a log under another time to live, as the store keeps things; rules put in and back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.learn.tuning.estimating import ClassLog, best_fixed, compare, least_for
from memtend.learn.tuning.rules import rule_of, settled, tried, tuned, with_rule
from memtend.policies import dump_policies, load_policies

#        key 0: write 0, reads 10 and 100, write 110, read 115; key 1: write 0
T, KEY = [0, 10, 100, 110, 115, 0], [0, 0, 0, 0, 0, 1]
WROTE = [True, False, False, True, False, True]


def log(end: float = 200.0) -> ClassLog:
    return ClassLog.of(
        np.array(T, float), np.array(KEY), np.array(WROTE), np.full(6, 2.0), end
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ttl_s", "slides", "kept", "late"),
    [
        (50.0, False, [50, 0, 0, 50, 0, 50], [0, 0, 1, 0, 0, 0]),
        (99.0, False, [99, 0, 0, 90, 0, 99], [0, 0, 1, 0, 0, 0]),
        (100.0, False, [100, 0, 0, 90, 0, 100], [0, 0, 1, 0, 0, 0]),  # its time is over then
        (100.001, False, [100.001, 0, 0, 90, 0, 100.001], [0, 0, 0, 0, 0, 0]),  # one tick later
        (math.inf, False, [110, 0, 0, 90, 0, 200], [0, 0, 0, 0, 0, 0]),
        (50.0, True, [10, 50, 10, 5, 50, 50], [0, 0, 1, 0, 0, 0]),
        (91.0, True, [10, 90, 10, 5, 85, 91], [0, 0, 0, 0, 0, 0]),
    ],
)
def test_what_is_kept_and_what_comes_too_late(
    ttl_s: float, kept: list[float], late: list[int], *, slides: bool
) -> None:
    bill = log().bill(ttl_s, slides=slides)
    assert bill.byte_s.tolist() == [2.0 * one for one in kept]
    assert bill.late.astype(int).tolist() == late


def test_what_would_change_is_told_with_its_interval() -> None:
    many = ClassLog.of(
        np.repeat(np.arange(100) * 1_000.0, 3) + np.tile([0.0, 10.0, 500.0], 100),
        np.repeat(np.arange(100), 3), np.tile([True, False, False], 100), np.full(300, 8.0), 1e5,
    )  # fmt: skip
    found = compare(many, 1_000.0, 100.0, slides=False, since=0.0, byte_s_a_miss=8.0 * 50, rate=0.5)
    # A write keeps 900 s x 8 B less, and one read in two comes too late.
    assert found.saving.value == pytest.approx((900 * 8 / (8 * 50) - 1) / 3)
    assert found.saving.low == pytest.approx(found.saving.high)  # all keys are alike
    assert found.bytes.value == pytest.approx(-900 * 8 * 100 / 1e5 / 0.5)
    assert found.misses.value == pytest.approx(100 / 1e5 * 86_400 / 0.5)
    assert (found.regret_now, found.regret.value) == (0.0, 0.5)
    assert found.regret.low < 0.5 < found.regret.high


def test_what_is_kept_from_before_the_time_held_out_counts_in_it() -> None:
    """A write every 100 s: ten are kept at a time, or five hundred, whatever time is looked at."""
    n = 1_000
    every = np.linspace(0.0, 99_900.0, n)
    many = ClassLog.of(every, np.arange(n), np.ones(n, bool), np.full(n, 8.0), 1e5)
    for slides in (False, True):
        for now_s, ttl_s, change in ((1e3, 5e4, 490), (5e4, 1e3, -490)):
            found = compare(
                many, now_s, ttl_s, slides=slides, since=9e4, byte_s_a_miss=8.0, rate=1.0
            )
            assert found.bytes.value == pytest.approx(8 * change, rel=0.01)
            assert found.saving.value == pytest.approx(-change * 100, rel=0.01)


def test_intervals_hold_the_truth_nine_times_of_ten() -> None:
    """Keys are written once and read once, an exponential time later: known by formula."""
    now_s, ttl_s, mean_s, miss = 1_000.0, 300.0, 400.0, 900.0
    late = math.exp(-ttl_s / mean_s) - math.exp(-now_s / mean_s)
    truth = ((now_s - ttl_s) / miss - late) / 2
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        wrote = rng.uniform(-3_000, 8_000, 300)
        t = np.r_[wrote, wrote + rng.exponential(mean_s, 300)]
        seen = (t >= 0) & (t < 8_000)
        one = ClassLog.of(
            t[seen], np.r_[0:300, 0:300][seen], (np.arange(600) < 300)[seen],
            np.ones(int(seen.sum())), 8_000.0,
        )  # fmt: skip
        found = compare(
            one, now_s, ttl_s, slides=False, since=6_000.0, byte_s_a_miss=miss, rate=1.0
        )
        held += found.saving.low <= truth <= found.saving.high
    assert 83 <= held <= 97


def test_one_key_says_nothing_of_others() -> None:
    found = compare(log(), 200.0, 50.0, slides=False, since=5.0, byte_s_a_miss=1.0, rate=1.0)
    assert (found.saving.low, found.saving.high) == (-math.inf, math.inf)


def test_the_least_time_for_a_share_of_reads() -> None:
    """Reads 10, 100 and 5 after a write; or, where reading renews, 10, 90 and 5 after anything."""
    for slides, longest in ((False, 100.001), (True, 90.001)):
        assert least_for(log(), 0.0, slides=slides) == longest
        assert least_for(log(), 0.34, slides=slides) == 10.001
        assert least_for(log(), 1.0, slides=slides) == 0.0
        assert log().regret(longest, slides=slides) == 0
        assert log().regret(longest - 0.001, slides=slides) == pytest.approx(1 / 3)


def test_the_best_time_is_that_of_the_last_read_worth_waiting_for() -> None:
    assert best_fixed(log(), byte_s_a_miss=1e9, floor_s=1.0) == 100.001
    assert best_fixed(log(), byte_s_a_miss=100.0, floor_s=1.0) == 10.001
    assert best_fixed(log(), byte_s_a_miss=100.0, floor_s=60.0) == 60.0
    assert best_fixed(log(), byte_s_a_miss=1e9, floor_s=1.0, ceiling_s=3.0) == 3.0
    assert best_fixed(log().until(5.0), 1.0, 1.0) is None


@given(
    events=st.lists(
        st.tuples(st.integers(0, 500), st.integers(0, 3), st.booleans()), min_size=1, max_size=40
    ),
    ttl_s=st.integers(1, 600),
    slides=st.booleans(),
)
def test_a_longer_time_keeps_more_and_misses_less(
    events: list[tuple[int, int, bool]], ttl_s: int, *, slides: bool
) -> None:
    t, key, wrote = (np.array(column) for column in zip(*events, strict=True))
    own = ClassLog.of(t.astype(float), key, wrote, np.ones(len(t)), 500.0)
    short, long = own.bill(float(ttl_s), slides=slides), own.bill(ttl_s + 50.0, slides=slides)
    assert (short.byte_s <= long.byte_s).all()
    assert short.late.sum() >= long.late.sum()
    assert (short.byte_s >= 0).all()


FILE = """
namespaces:
  - {namespace: "b/*", ttl: 1d, refresh_on_read: true}
  - {namespace: "a", ttl: permanent}
learn: {seed: 3}
"""
TRIAL = "0123456789abcdef" * 2


def test_what_is_put_back_stands_where_it_stood() -> None:
    file = load_policies(FILE)
    rule = rule_of(file, "b/*")
    assert rule is not None
    changed = with_rule(file, "b/*", tried(rule, "b/*", TRIAL, 5, 0.5, "why"))
    assert changed.policies.resolve("b/x", "k").refresh_on_read
    assert dump_policies(with_rule(changed, "b/*", rule)) == dump_policies(file)
    added = with_rule(file, "c", tuned(rule, "c", 7, "why"))
    assert [one.pattern for one in added.policies.rules] == ["b/*", "a", "c"]
    assert added.policies.resolve("c", "k").ttl_ms == 7
    assert dump_policies(with_rule(added, "c", None)) == dump_policies(file)
    assert file.policies.resolve("c", "k").ttl_ms is None  # the first one is as it was


def test_a_canary_ends_in_the_rule_with_or_without_it() -> None:
    rule = rule_of(load_policies(FILE), "b/*")
    assert rule is not None
    canary = tried(rule, "b/*", TRIAL, 5, 0.5, "w" * 2_000)
    assert {canary.at("b/x", str(n)).ttl_ms for n in range(50)} == {5, rule.ttl_ms}
    assert len(canary.why) == 1_000
    assert settled(canary).model_copy(update={"why": ""}) == rule
    done = tuned(canary, "b/*", 5, "why")
    assert {done.at("b/x", str(n)).ttl_ms for n in range(50)} == {5}
