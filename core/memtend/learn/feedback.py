"""What is learned from: contexts as numbers, strategies, and what each of them cost.

With full information every cost is known. Bandit feedback knows one a row, that of the strategy
which was followed, and the probability with which it had been chosen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Feedback:
    """Shapes: n contexts, d features, m strategies. NaN is what was not measured or not observed.

    `costs`: lower is better. `success`: of the strategy followed, 0 to 1. `at`: when, in any unit
    that grows. `cutoff` and `ptype` describe costs that are run times with a limit.
    """

    X: Floats  # (n, d)
    costs: Floats  # (n, m)
    strategies: tuple[str, ...]
    logged: Ints | None = None  # (n,)
    propensity: Floats | None = None  # (n, m)
    success: Floats | None = None  # (n,)
    incumbent: int | None = None
    at: Floats | None = None  # (n,)
    writer: Ints | None = None  # (n,)
    feature_names: tuple[str, ...] = ()
    cutoff: float | None = None
    ptype: str = "cost"

    def __len__(self) -> int:
        return len(self.X)

    @property
    def is_full(self) -> bool:
        """Whether every strategy's cost is known in every context."""
        return not bool(np.isnan(self.costs).any())

    def rows(self, which: Ints | NDArray[np.bool_]) -> Feedback:
        """Only these contexts."""
        return replace(
            self,
            X=self.X[which],
            costs=self.costs[which],
            logged=None if self.logged is None else self.logged[which],
            propensity=None if self.propensity is None else self.propensity[which],
            success=None if self.success is None else self.success[which],
            at=None if self.at is None else self.at[which],
            writer=None if self.writer is None else self.writer[which],
        )
