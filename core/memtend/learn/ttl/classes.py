"""TTLs by key class and size: the form that a person can read, and most will deploy.

What large entries cost is more, and their reuse is another; so each class has a TTL for every
doubling of size. A cell with few accesses leans on its class, a class on all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from memtend.learn.feedback import Floats, Ints
from memtend.learn.state import State
from memtend.learn.ttl.accesses import Gaps
from memtend.learn.ttl.forest import recent
from memtend.learn.ttl.survival import ages_of, cheapest, counted, hazards, survival

CLASS_STRENGTH: Final = 10.0
BAND_STRENGTH: Final = 30.0
BANDS_MAX: Final = 24


@dataclass(frozen=True, eq=False)
class ClassCurves:
    """Survival by class and size band, and of whole classes. Band b ends at `edges[b]` bytes."""

    ages: Floats
    edges: Floats
    sizes: Floats  # (bands,) means
    curves: Floats  # (classes, bands, ages)
    whole: Floats  # (classes, ages)
    whole_bytes: Floats  # (classes, ages): of bytes, not entries
    whole_sizes: Floats  # (classes,)

    @classmethod
    def fit(
        cls, gaps: Gaps, classes: int, floor_s: float = 0.0, ceiling_s: float = np.inf
    ) -> ClassCurves:
        ages = ages_of(gaps, floor_s, ceiling_s)
        edges = _edges(gaps.size)
        bands = len(edges) + 1
        band = np.searchsorted(edges, gaps.size, side="left")
        weight = recent(len(gaps))
        cells = counted(gaps.cls * bands + band, classes * bands, gaps, ages, weight)
        d, c = (one.reshape(classes, bands, -1) for one in cells)
        of_all = hazards(d.sum((0, 1)), c.sum((0, 1)))
        of_class = hazards(d.sum(1), c.sum(1), of_all, CLASS_STRENGTH)
        of_band = hazards(d.sum(0), c.sum(0), of_all, CLASS_STRENGTH)
        sized = weight * gaps.size / np.average(gaps.size, weights=weight)
        heavy, gone = counted(gaps.cls, classes, gaps, ages, sized)
        of_bytes = hazards(heavy.sum(0), gone.sum(0))
        in_bytes = hazards(heavy, gone, of_bytes, CLASS_STRENGTH)
        # A band's hazard in a class: the class's, times what the band's is to all.
        lean = of_class[:, None, :] * (of_band / np.maximum(of_all, 1e-9))
        cell = hazards(d, c, np.clip(lean, 0.0, 1.0), BAND_STRENGTH)
        return cls(
            ages, edges, _means(band, gaps.size, weight, bands), survival(cell),
            survival(of_class), survival(in_bytes), _means(gaps.cls, gaps.size, weight, classes),
        )  # fmt: skip

    def table(self, rate: float, floor_s: float, ceiling_s: float) -> ClassTable:
        """The cheapest TTLs at a price: `rate` misses for a byte and a second."""
        classes, bands, width = self.curves.shape
        weight = np.tile(rate * self.sizes, classes)
        cells = cheapest(self.curves.reshape(-1, width), self.ages, weight, floor_s, ceiling_s)
        whole = cheapest(
            self.whole, self.ages, rate * self.whole_sizes, floor_s, ceiling_s, self.whole_bytes
        )
        return ClassTable(self.edges, cells.reshape(classes, bands), whole)


@dataclass(frozen=True, eq=False)
class ClassTable:
    """`cells`: (classes, bands) seconds; `whole`: one TTL a class, for all sizes."""

    edges: Floats
    cells: Floats
    whole: Floats

    def ttl(self, cls: Ints, size: Floats) -> Floats:
        return np.asarray(self.cells[cls, np.searchsorted(self.edges, size, side="left")])

    def bands(self, code: int) -> tuple[tuple[float, float], ...]:
        """Bytes up to which, and seconds; bands of one TTL are joined."""
        limits = [*self.edges.tolist(), float("inf")]
        found = list(zip(limits, self.cells[code].tolist(), strict=True))
        return tuple(
            one for one, after in zip(found, [*found[1:], None], strict=True)
            if after is None or after[1] != one[1]
        )  # fmt: skip

    def state(self) -> State:
        return State({}, {"edges": self.edges, "cells": self.cells, "whole": self.whole})

    @classmethod
    def of(cls, state: State) -> ClassTable:
        return cls(state.arrays["edges"], state.arrays["cells"], state.arrays["whole"])


def _edges(size: Floats) -> Floats:
    """Powers of two between the smallest and the largest; the same for all classes."""
    low, high = np.log2(np.quantile(size, [0.01, 0.99]))
    steps = np.arange(np.ceil(low), np.floor(high) + 1)
    return np.asarray(2.0 ** steps[-BANDS_MAX + 1 :], np.float64)


def _means(group: Ints, size: Floats, weight: Floats, groups: int) -> Floats:
    """Weighted means by group; of an empty one the mean of all."""
    total = np.bincount(group, weight, groups)
    found = np.bincount(group, weight * size, groups) / np.where(total > 0, total, 1.0)
    return np.where(total > 0, found, float(np.average(size, weights=weight)))
