"""A selector learned from bandit feedback, as it serves: one forest, a value for each strategy.

It leaves the incumbent only where another strategy is expected to save more than `margin`, in
units of the spread of costs. Of what a strategy is expected to save only the share `trust` counts:
the less often it was tried, the smaller, and of hardly any tries none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from memtend.learn.feedback import Floats, Ints
from memtend.learn.flat import FlatForest
from memtend.learn.state import State


@dataclass(frozen=True, slots=True, eq=False)
class BanditSelector:
    strategies: tuple[str, ...]
    incumbent: int
    forest: FlatForest
    trust: Floats  # (m,)
    margin: float
    center: float
    spread: float

    def choose(self, X: Floats) -> Ints:
        return self.decide(self.expected(X))

    def decide(self, expected: Floats) -> Ints:
        """The choice, where the expectations are known already."""
        return deviating(expected, self.incumbent, self.trust, self.margin * self.spread)

    def expected(self, X: Floats) -> Floats:
        """(n, m): what each strategy is expected to cost, in the unit of the feedback."""
        return np.asarray(self.forest.predict(X) * self.spread + self.center)

    def state(self) -> State:
        meta = {
            "strategies": list(self.strategies),
            "incumbent": self.incumbent,
            "margin": self.margin,
            "center": self.center,
            "spread": self.spread,
        }
        arrays = self.forest.below("forest")
        return State(meta, {**arrays, "trust": self.trust})

    @classmethod
    def of(cls, state: State) -> BanditSelector:
        """Raises `KeyError` where a part is missing."""
        meta, arrays = state
        return cls(
            strategies=tuple(meta["strategies"]),
            incumbent=int(meta["incumbent"]),
            forest=FlatForest.from_below("forest", arrays),
            trust=arrays["trust"],
            margin=float(meta["margin"]),
            center=float(meta["center"]),
            spread=float(meta["spread"]),
        )


def deviating(cost: Floats, incumbent: int, trust: Floats, margin: float) -> Ints:
    """The strategy that is trusted to save the most, if that is more than `margin`; else the
    incumbent."""
    saved = (cost[:, [incumbent]] - cost) * trust
    return np.where(saved.max(axis=1) > margin, saved.argmax(axis=1), incumbent).astype(np.int64)
