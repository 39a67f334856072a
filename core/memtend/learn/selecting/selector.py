"""A learned selector as it serves: trees as flat arrays, and a table of what their leaves say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from memtend.learn.feedback import Floats, Ints
from memtend.learn.flat import FlatForest
from memtend.learn.state import State

_ROWS: Final = 64
"""Summed at once: what is gathered for them stays within the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class ContrastSelector:
    """`table` has a row for each leaf and a column for each strategy; `places` leads from a node
    to its row. `power` 2 says that the table holds square roots of regrets, 1 that it holds
    regrets. Equal expectations go to the strategy whose name comes first."""

    strategies: tuple[str, ...]
    incumbent: int
    forest: FlatForest
    places: NDArray[np.int32]
    table: NDArray[np.float32]
    power: int
    unit: float

    def choose(self, X: Floats) -> Ints:
        return self.decide(self.expected(X))

    def decide(self, expected: Floats) -> Ints:
        """The choice, where the expectations are known already."""
        names = self.strategies
        order: Ints = np.array(sorted(range(len(names)), key=names.__getitem__))
        return np.asarray(order[expected[:, order].argmin(axis=1)])

    def expected(self, X: Floats) -> Floats:
        """(n, m): by how much each strategy would cost more than the best one, in the unit of the
        costs. Where roots were learned it is the square of the expected root: for comparing
        strategies in one context, and less than what is lost on average."""
        return self._means(X) ** self.power * self.unit

    def state(self) -> State:
        meta = {
            "strategies": list(self.strategies),
            "incumbent": self.incumbent,
            "power": self.power,
            "unit": self.unit,
        }
        arrays = self.forest.below("forest")
        return State(meta, {**arrays, "places": self.places, "table": self.table})

    @classmethod
    def of(cls, state: State) -> ContrastSelector:
        """Raises `KeyError` where a part is missing."""
        meta, arrays = state
        return cls(
            strategies=tuple(meta["strategies"]),
            incumbent=int(meta["incumbent"]),
            forest=FlatForest.from_below("forest", arrays),
            places=arrays["places"],
            table=arrays["table"],
            power=int(meta["power"]),
            unit=float(meta["unit"]),
        )

    def _means(self, X: Floats) -> Floats:
        rows = self.places.take(self.forest.leaves(X))
        found = np.empty((len(rows), self.table.shape[1]))
        for start in range(0, len(rows), _ROWS):
            told = self.table.take(rows[start : start + _ROWS], axis=0)
            found[start : start + _ROWS] = np.add.reduce(told, axis=1)
        found /= rows.shape[1]
        return found


def without_values(forest: FlatForest, columns: Ints) -> FlatForest:
    """The walk alone, over whole contexts of which the trees know only these columns."""
    return replace(
        forest,
        features=columns[forest.features].astype(np.int32),
        values=np.empty((len(forest.features), 0)),
    )
