"""What is at stake in each context: regrets, and how much a row weighs.

A cost that every strategy pays alike decides nothing. What is left when the best one's is taken off
is the regret; its mean over the strategies says how much hangs on choosing well, and is the row's
weight. All is divided by a power of two near the mean stake, so that neither the unit of the costs
nor what is added to a whole row changes any choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from memtend.learn.feedback import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Stakes:
    """`regret` times `unit` is in the unit of the costs. `weight` has a mean of about 1."""

    regret: Floats  # (n, m)
    weight: Floats  # (n,)
    unit: float

    @classmethod
    def of(cls, costs: Floats) -> Stakes:
        regret = costs - costs.min(axis=1, keepdims=True)
        mean = float(regret.mean())
        unit = float(2.0 ** np.round(np.log2(mean))) if mean > 0 else 1.0
        regret = regret / unit
        stake = regret.mean(axis=1)
        return cls(regret, stake / stake.mean() if mean > 0 else stake, unit)

    @property
    def at_stake(self) -> int:
        """Rows in which the choice makes a difference."""
        return int((self.weight > 0).sum())
