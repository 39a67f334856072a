"""Judge TTLs on time that they were not made from, with intervals by resampling blocks of time.

Accesses that follow one another are alike, so that whole blocks are drawn. What a policy will cost
is bounded by how much its cost differs from block to block, then and later.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from memtend.learn.feedback import Floats
from memtend.learn.ttl.accesses import Gaps
from memtend.learn.ttl.fitted import Estimate
from memtend.learn.ttl.objective import Price, clairvoyant, costs, mean_cost

BLOCKS: Final = 10
DRAWS: Final = 400
LEVEL: Final = (0.05, 0.95)
_T_95: Final = 1.833  # Student's, of as many blocks less one


class Saving(NamedTuple):
    """A mean over accesses, in misses; the old cost less the new one."""

    mean: float
    low: float
    high: float


def saving(new: Floats, old: Floats, seed: int) -> Saving:
    """Of accesses in order of time."""
    if not len(new):
        return Saving(0.0, 0.0, 0.0)
    gained, counts = _blocks(old - new)
    drawn = np.random.default_rng(seed).integers(0, len(counts), (DRAWS, len(counts)))
    means = gained[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, LEVEL)
    return Saving(float((old - new).mean()), float(low), float(high))


def estimate(
    policy: str, later: Gaps, new_s: Floats, old_s: Floats, price: Price, seed: int
) -> Estimate:
    if not len(later):
        nothing = mean_cost(later, new_s, price)
        return Estimate(policy, nothing, nothing, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0)
    new, old = costs(later, new_s, price), costs(later, old_s, price)
    gained = saving(new, old, seed)
    total, counts = _blocks(new)
    level = float(new.mean())
    means = total / counts
    wide = float(np.std(means, ddof=1)) if len(means) > 1 else level
    spread = float(_T_95 * wide * np.sqrt(2.0 / len(means)))
    return Estimate(
        policy, mean_cost(later, new_s, price), mean_cost(later, old_s, price),
        float(clairvoyant(later, price).mean()), max(0.0, level - spread), level + spread,
        gained.mean, gained.low, gained.high, gained.mean / max(float(old.mean()), 1e-12),
        len(later),
    )  # fmt: skip


def _blocks(values: Floats) -> tuple[Floats, Floats]:
    """Sums and counts of blocks in a row."""
    parts = np.array_split(values, min(BLOCKS, max(2, len(values))))
    parts = [one for one in parts if len(one)] or [np.zeros(1)]
    return np.array([one.sum() for one in parts]), np.array([float(len(one)) for one in parts])
