"""The table's rows and the curves beside them: one a class, judged by its own held-out accesses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from memtend.learn.feedback import Floats
from memtend.learn.ttl.accesses import Gaps
from memtend.learn.ttl.classes import CLASS_STRENGTH, ClassCurves
from memtend.learn.ttl.fitted import ClassTtl, Curve
from memtend.learn.ttl.forest import recent
from memtend.learn.ttl.judging import BLOCKS, LEVEL, Saving, saving
from memtend.learn.ttl.objective import Price, costs, mean_cost
from memtend.learn.ttl.survival import cheapest, counted, hazards, survival

DRAWS = 100


class Bounds(NamedTuple):
    floor_s: float
    ceiling_s: float


@dataclass(frozen=True, eq=False)
class Drawn:
    """Curves of a class from resampled blocks of time: (draws, ages)."""

    ages: Floats
    curves: Floats
    by_size: Floats
    size: float

    @classmethod
    def of(cls, own: Gaps, curves: ClassCurves, code: int, seed: int) -> Drawn:
        blocks = np.arange(len(own)) * BLOCKS // max(len(own), 1)
        weight = recent(len(own))
        rng = np.random.default_rng([seed, code])
        times = np.apply_along_axis(
            np.bincount, 1, rng.integers(0, BLOCKS, (DRAWS, BLOCKS)), minlength=BLOCKS
        ).astype(np.float64)
        size = float(curves.whole_sizes[code])
        found = []
        for curve, each in (
            (curves.whole[code], weight), (curves.whole_bytes[code], weight * own.size / size),
        ):  # fmt: skip
            d, c = counted(blocks, BLOCKS, own, curves.ages, each)
            prior = 1.0 - np.r_[curve, 0.0] / np.maximum(np.r_[1.0, curve], 1e-12)
            prior = np.clip(prior, 0.0, 1.0)
            found.append(survival(hazards(times @ d, times @ c, prior, CLASS_STRENGTH)))
        return cls(curves.ages, found[0], found[1], size)

    def ttl_interval(self, price: Price, bounds: Bounds) -> tuple[float, float]:
        weight = np.full(len(self.curves), price.rate * self.size)
        found = cheapest(self.curves, self.ages, weight, *bounds, self.by_size)
        low, high = np.quantile(found, LEVEL, method="nearest")
        return float(low), float(high)


class Row(NamedTuple):
    """What is known of a class before it is decided whether its TTL is adopted."""

    name: str
    code: int
    own: Gaps
    later: Gaps
    ttl_s: float
    low_s: float
    high_s: float
    incumbent_s: float
    before_s: float
    incumbent_before_s: float
    drifted: bool

    def saved(self, price: Price, seed: int) -> Saving:
        new = costs(self.later, self.before_s, price)
        return saving(new, costs(self.later, self.incumbent_before_s, price), seed)

    def told(
        self, price: Price, found: Saving, adopted: bool, bands: tuple[tuple[float, float], ...]
    ) -> ClassTtl:
        reused = int(self.own.event.sum())
        ttl_s = self.ttl_s if adopted else self.incumbent_s
        return ClassTtl(
            self.name, ttl_s, self.low_s, self.high_s, self.incumbent_s, adopted, len(self.own),
            reused, len(self.own) - reused, mean_cost(self.later, self.before_s, price),
            mean_cost(self.later, self.incumbent_before_s, price), found.mean, found.low,
            found.high, self._evidence(found, reused), bands,
        )  # fmt: skip

    def _evidence(self, found: Saving, reused: int) -> str:
        text = f"{len(self.own):,} accesses, {reused:,} of them used again"
        if not len(self.later):
            return f"{text}; none in the held-out time"
        drift = "; reuse in the held-out time was not as before" if self.drifted else ""
        return (
            f"{text}; over {len(self.later):,} held out it saves {found.mean:+.3f} misses an "
            f"access ({found.low:+.3f} to {found.high:+.3f}){drift}"
        )


def curve_of(row: ClassTtl, drawn: Drawn, whole: Floats) -> Curve:
    low, high = np.quantile(drawn.curves, LEVEL, axis=0)
    return Curve(
        row.name, drawn.ages, whole, np.minimum(low, whole), np.maximum(high, whole), row.ttl_s,
        row.incumbent_s, row.accesses,
    )  # fmt: skip
