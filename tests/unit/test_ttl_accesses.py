"""Accesses: features and gaps against a plain loop, and that nothing looks ahead."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from memtend.errors import AccessesUnusable
from memtend.learn.ttl.accesses import Accesses
from memtend.learn.ttl.features import FEATURES, RATE_S, features
from tests.fixtures.accesses import log_of


def slow(log: Accesses) -> np.ndarray:
    """The same features, one access at a time."""
    X = np.full((len(log), len(FEATURES)), np.nan)
    seen: dict[int, list[float]] = {}
    rates: dict[int, tuple[float, float]] = {}
    for row, (t, key, ns, size) in enumerate(
        zip(log.t.tolist(), log.key.tolist(), log.ns.tolist(), log.size.tolist(), strict=True)
    ):
        past = seen.setdefault(key, [])
        past.append(t)
        gaps = [math.log10(b - a + 1e-3) for a, b in pairwise(past)]
        raw = np.diff(past)
        known = dict.fromkeys(FEATURES, math.nan) | {
            "ns": ns, "log_size": math.log10(size), "n_prev": math.log1p(len(gaps)),
            "log_age": math.log10(t - past[0] + 1e-3), "hour": t / 3_600 % 24,
            "dow": t / 86_400 % 7,
            "same_time_batch": math.log10((log.t == t).sum()),
        }  # fmt: skip
        for name, back in (("log_last_gap", 1), ("log_gap2", 2), ("log_gap3", 3)):
            if len(gaps) >= back:
                known[name] = gaps[-back]
        if gaps:
            known |= {
                "log_mean_gap": math.log10(raw.mean() + 1e-3), "log_min_gap": min(gaps),
                "log_max_gap": max(gaps),
            }  # fmt: skip
            known["gap_ratio"] = known["log_last_gap"] - known["log_mean_gap"]
        at, rate = rates.get(ns, (t, 0.0))
        rates[ns] = t, rate * math.exp((at - t) / RATE_S) + 1
        known["ns_log_rate"] = math.log10(rates[ns][1]) if rate else math.nan
        X[row] = [known[name] for name in FEATURES]
    return X


def test_features_are_those_of_a_plain_loop() -> None:
    log = log_of(600)
    np.testing.assert_allclose(log.gaps.X, slow(log), atol=1e-9)


def test_features_know_nothing_of_what_comes() -> None:
    log = log_of(600)
    half = 300
    first = features(log.t[:half], log.key[:half], log.ns[:half], log.size[:half])
    assert np.array_equal(first, log.gaps.X[:half], equal_nan=True)


def test_gaps_are_censored_where_the_log_ends_and_at_any_time_before() -> None:
    log = Accesses.of([0, 5, 7, 9], ["a", "b", "a", "b"], [0] * 4, [1] * 4, ("n",), end=20)
    assert log.gaps.gap.tolist() == [7, 4, 13, 11]
    assert log.gaps.event.tolist() == [True, True, False, False]
    then = log.gaps.known_at(8)
    assert then.gap.tolist() == [7, 3, 1]
    assert then.event.tolist() == [True, False, False]


def test_a_missed_read_has_the_size_that_the_entry_had() -> None:
    log = Accesses.of([0, 1, 2, 3], [7, 8, 7, 9], [0] * 4, [10, 20, math.nan, math.nan], ("n",))
    assert log.size.tolist() == [10, 20, 10, 15]


def test_a_sample_of_keys_is_scaled_to_all_where_it_counts() -> None:
    log = log_of(600)
    sampled = Accesses.of(log.t, log.key, log.ns, log.size, log.ns_names, rate=0.1)
    at = FEATURES.index("ns_log_rate")
    assert sampled.gaps.X[:, at] == pytest.approx(log.gaps.X[:, at] + 1, nan_ok=True)
    assert sampled.gaps.gap.tolist() == log.gaps.gap.tolist()


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"t": [0, math.nan]}, "time"), ({"size": [1, 0]}, "size"), ({"ns": [0, 3]}, "namespace"),
     ({"key": [1]}, "rows"), ({"rate": 0.0}, "share"), ({"end": 0.5}, "end")],
)  # fmt: skip
def test_what_cannot_be_is_refused(changed: dict[str, object], why: str) -> None:
    told = {"t": [0, 1], "key": [1, 1], "ns": [0, 0], "size": [1, 1], "ns_names": ("n",)} | changed
    with pytest.raises(AccessesUnusable, match=why):
        Accesses.of(**told)  # type: ignore[arg-type]
