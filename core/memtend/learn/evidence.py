"""Whether a log bears out what a model expects of it, and how much of what it promises is left.

    borne_out(log, propensity, target, base, predicted).saving

Only rows that happened to follow the policy judge it without a model: too few to tell a small
saving from none. Here every row speaks, since every row followed something. What a strategy costs
more or less than the incumbent is taken to be `a + b x` what the model says of it; `a` and `b` are
found by regression. Chance decided who followed what, with known propensities, so the regressors
are what was followed minus what was to be expected, and how hard a context is for all cannot
enter. Of a model that has found nothing `b` is about 0, of one that flatters all others `a` is
above it; either way nothing is left of the saving.

`predicted` must come from models that have not seen the row. Errors allow for rows that differ in
spread (HC3), and for how few followed the incumbent or another strategy (Student's t).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from memtend.learn.feedback import Floats
from memtend.learn.offpolicy import Logged

LEVEL: Final = 0.95
_FEWEST: Final = 3
_LEVERAGE_MAX: Final = 0.9


class Evidence(NamedTuple):
    """`saving` of a row, in the unit of the costs; `low`: its lower bound, one-sided 95 %."""

    saving: float
    error: float
    low: float

    @property
    def holds(self) -> bool:
        return self.low > 0


NOTHING: Final = Evidence(0.0, np.inf, -np.inf)


def borne_out(
    log: Logged, propensity: Floats, target: Floats, base: Floats, predicted: Floats
) -> Evidence:
    """All of shape (n, m) but the log; `target` and `base` as probabilities."""
    from scipy.special import stdtrit  # noqa: PLC0415

    at, n = np.arange(len(log.cost)), len(log.cost)
    other = 1 - base[at, log.strategy]
    fewest = min(float(other.sum()), float((1 - other).sum()))
    if fewest < _FEWEST:
        return NOTHING
    chance = propensity / propensity.sum(axis=1, keepdims=True)
    apart = predicted - (base * predicted).sum(axis=1, keepdims=True)
    leaves = other - (chance * (1 - base)).sum(axis=1)
    differs = apart[at, log.strategy] - (chance * apart).sum(axis=1)
    design = np.c_[leaves, differs, np.ones(n)]
    missed = log.cost - (chance * predicted).sum(axis=1)
    solve = np.linalg.pinv(design)
    found = solve @ missed
    leverage = np.minimum((solve.T * design).sum(axis=1), _LEVERAGE_MAX)
    asked = np.array([(target * (1 - base)).sum(1).mean(), (target * apart).sum(1).mean(), 0.0])
    each = (asked @ solve) * (missed - design @ found) / (1 - leverage)
    saving, error = -float(asked @ found), float(np.sqrt((each**2).sum()))
    reach = float(stdtrit(max(1.0, fewest - 2), LEVEL)) * error
    return Evidence(saving, error, saving - reach) if error > 0 else NOTHING
