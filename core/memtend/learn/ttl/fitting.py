"""Fit TTLs to accesses: survival of each key class, the TTL that costs least, and the gate.

Everything is judged on the last part of the log by what was known before it; what does not beat the
incumbent there beyond its interval is not adopted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from memtend.learn.ttl.accesses import Accesses, Gaps
from memtend.learn.ttl.fitted import ClassTtl, Curve, Estimate, FitReport, FittedTtl, FrontierPoint
from memtend.learn.ttl.objective import Price, clairvoyant, costs, mean_cost
from memtend.learn.ttl.policy import TtlPolicy
from memtend.learn.ttl.survival import ages_of, counted, kept, survival

Floats = NDArray[np.float64]


def fit_ttl(
    accesses: Accesses,
    *,
    break_even_s: float,
    seed: int,
    incumbent_s: float | Mapping[str, float] | None = None,
    floor_s: float = 0.0,
    ceiling_s: float = math.inf,
) -> FittedTtl:
    """`break_even_s`: for how long an entry of mean size may be kept for the price of one miss.
    `incumbent_s`: the TTL in force, for all or by class name (`inf`: for ever); if None, the best
    fixed one of each class on the past. Equal arguments give an equal fit."""
    gaps = accesses.gaps
    price = Price.of(break_even_s, float(gaps.size.mean()))
    cut = float(np.quantile(gaps.t, 0.75))
    past, later = gaps.known_at(cut), gaps.since(cut)
    names = accesses.cls_names
    old = _incumbents(past, names, price, incumbent_s)
    before = _class_ttls(past, len(names), price, floor_s, ceiling_s)
    now = _class_ttls(gaps, len(names), price, floor_s, ceiling_s)
    estimate = _estimate("class", later, before[later.cls], old[later.cls], price, seed)
    adopted = estimate.saving_low > 0
    ttls = now if adopted else old
    rows, shown = [], []
    for code, name in enumerate(names):
        own = gaps.where(gaps.cls == code)
        if not len(own):
            continue
        rows.append(_row(name, own, float(ttls[code]), float(old[code]), adopted, price))
        shown.append(_curve(name, own, float(ttls[code]), float(old[code])))
    report = FitReport(
        accesses=len(gaps), classes=len(rows), censored=int((~gaps.event).sum()),
        mean_size=float(gaps.size.mean()), adopted="class" if adopted else "incumbent",
        reasons=(), drifted=(),
    )  # fmt: skip
    policy = TtlPolicy(names, ttls, float(np.median(ttls)))
    points = tuple(
        FrontierPoint(kind, break_even_s, one.misses, one.byte_s)
        for kind, one in (("class", estimate.expected), ("incumbent", estimate.incumbent))
    )
    return FittedTtl(policy, price, estimate, estimate, report, tuple(rows), tuple(shown), points)


def _class_ttls(gaps: Gaps, classes: int, price: Price, floor_s: float, ceiling_s: float) -> Floats:
    ages = ages_of(gaps)
    d, c = counted(gaps.cls, classes, gaps, ages, np.ones(len(gaps)))
    curve = survival(d, c)
    sizes = np.bincount(gaps.cls, gaps.size, classes) / np.maximum(
        1, np.bincount(gaps.cls, minlength=classes)
    )
    cost = price.rate * sizes[:, None] * kept(curve, ages) - (1 - curve)
    best: Floats = np.clip(ages[cost.argmin(axis=1)], floor_s, ceiling_s)
    return best


def _incumbents(
    past: Gaps, names: tuple[str, ...], price: Price, given: float | Mapping[str, float] | None
) -> Floats:
    if isinstance(given, Mapping):
        return np.array([given.get(name, math.inf) for name in names])
    if given is not None:
        return np.full(len(names), float(given))
    ages = ages_of(past)
    out = np.full(len(names), math.inf)
    for code in np.unique(past.cls):
        own = past.where(past.cls == code)
        out[code] = ages[int(np.argmin([costs(own, age, price).sum() for age in ages]))]
    return out


def _estimate(
    policy: str, later: Gaps, ttl_s: Floats, old_s: Floats, price: Price, seed: int
) -> Estimate:
    new, old = costs(later, ttl_s, price), costs(later, old_s, price)
    rng = np.random.default_rng(seed)
    blocks = np.array_split(np.arange(len(later)), 20)
    drawn = rng.integers(0, 20, (400, 20))
    sizes = np.array([len(b) for b in blocks])
    a, b = (np.array([one[rows].sum() for rows in blocks]) for one in (new, old))
    counts = sizes[drawn].sum(axis=1)
    cost_low, cost_high = np.quantile(a[drawn].sum(axis=1) / counts, [0.05, 0.95])
    low, high = np.quantile((b - a)[drawn].sum(axis=1) / counts, [0.05, 0.95])
    saving = float((old - new).mean())
    return Estimate(
        policy, mean_cost(later, ttl_s, price), mean_cost(later, old_s, price),
        float(clairvoyant(later, price).mean()), float(cost_low), float(cost_high), saving,
        float(low), float(high), saving / max(float(old.mean()), 1e-12), len(later),
        float(later.t[0]), float(later.t[-1]),
    )  # fmt: skip


def _row(name: str, own: Gaps, ttl: float, old: float, adopted: bool, price: Price) -> ClassTtl:
    expected, incumbent = mean_cost(own, ttl, price), mean_cost(own, old, price)
    saving = incumbent.cost - expected.cost
    reused = int(own.event.sum())
    return ClassTtl(
        name, ttl, ttl, ttl, old, adopted, len(own), reused, len(own) - reused, expected,
        incumbent, saving, saving, saving, f"{len(own):,} accesses, {reused:,} used again",
    )  # fmt: skip


def _curve(name: str, own: Gaps, ttl: float, old: float) -> Curve:
    ages = ages_of(own)
    d, c = counted(np.zeros(len(own), np.int64), 1, own, ages, np.ones(len(own)))
    found = survival(d, c)[0]
    return Curve(name, ages, found, found, found, ttl, old, len(own))
