"""One strategy for all: the incumbent, or the one that was best on average. What a model falls back
to, and is judged by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from memtend.learn.feedback import Feedback, Floats, Ints
from memtend.learn.state import State

_PREFERRED = 1.5
"""So many times as often as the others on average."""
_PRIOR = 5.0
"""As many outcomes as the mean of all counts for beside a strategy's own."""


@dataclass(frozen=True, slots=True, eq=False)
class SingleStrategy:
    """`means`: what each strategy costs on average."""

    strategies: tuple[str, ...]
    incumbent: int
    means: Floats

    @classmethod
    def fit(cls, feedback: Feedback) -> SingleStrategy:
        """The incumbent where one is named, else the strategy that the log prefers, else the one
        with the least cost on average, of those with more than a few outcomes."""
        seen = ~np.isnan(feedback.costs)
        counts = seen.sum(axis=0)
        total = np.nansum(feedback.costs, axis=0)
        overall = total.sum() / max(1, counts.sum())
        means = (total + _PRIOR * overall) / (counts + _PRIOR)
        best = int(np.where(counts >= min(_PRIOR, counts.max()), means, np.inf).argmin())
        if not feedback.is_full and counts.max() > _PREFERRED * counts.mean():
            best = int(counts.argmax())
        incumbent = best if feedback.incumbent is None else feedback.incumbent
        return cls(feedback.strategies, incumbent, means)

    def choose(self, X: Floats) -> Ints:
        return np.full(len(X), self.incumbent, dtype=np.int64)

    def decide(self, expected: Floats) -> Ints:
        """The choice, where the expectations are known already."""
        return self.choose(expected)

    def expected(self, X: Floats) -> Floats:
        return np.tile(self.means, (len(X), 1))

    def estimators(self) -> dict[str, Any]:
        return {}

    def state(self) -> State:
        meta = {"strategies": list(self.strategies), "incumbent": self.incumbent}
        return State(meta, {"means": self.means})

    @classmethod
    def of(cls, state: State) -> SingleStrategy:
        meta = state.meta
        return cls(tuple(meta["strategies"]), int(meta["incumbent"]), state.arrays["means"])
