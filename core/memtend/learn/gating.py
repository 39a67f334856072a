"""The gate: a policy is adopted only if its lower bound is not below the incumbent's.

Where all costs are known, the paired differences decide, row by row (`selecting.judging.clear`). Of
a log, two things are asked. Do the outcomes bear out what models expected that had not seen them
(`evidence`: a lower bound of 95 %)? And is the best estimate of what the policy saves still above 0
at its lower bound, when what the evidence leaves of it and the doubly robust difference are weighed
together by their errors, as Thomas and Brunskill (2016) blend two sources? The first keeps worlds
in which there is nothing to learn from being learned; the second lets rows that followed the policy
object. A model that claims nothing cannot pass.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from memtend.learn.evidence import borne_out
from memtend.learn.feedback import Floats
from memtend.learn.offpolicy import Estimate, Logged, difference

BANDIT_ERRORS: Final = 0.674
"""Standard errors: a one-sided bound of 75 %."""
_TRUST_ROWS: Final = 6.0
_FEW_ROWS: Final = 6.0
"""An error seen in so many effective rows is itself uncertain: its square counts twice."""
STAYS: Final = "the single best strategy stays"


class Verdict(NamedTuple):
    """`saving`: what a row costs less than with the incumbent, and its lower bound. `observed`: the
    doubly robust estimate of the difference, with its 90 % interval."""

    adopt: bool
    saving: float
    low: float
    why: str
    observed: Estimate


def gate_logged(
    log: Logged, propensity: Floats, target: Floats, base: Floats, predicted: Floats
) -> Verdict:
    """Of a log: `propensity`, and `target` and `base` as probabilities, (n, m); `predicted` by
    models that have not seen the row."""
    observed = difference(log, target, base, predicted)
    claimed = -float(((target - base) * predicted).sum(axis=1).mean())
    if claimed <= 0:
        return Verdict(False, claimed, -np.inf, f"the model expects no saving: {STAYS}", observed)
    left = borne_out(log, propensity, target, base, predicted)
    if not left.holds:
        why = f"outcomes it had not seen do not bear out what the model expects: {STAYS}"
        return Verdict(False, left.saving, left.low, why, observed)
    if observed.value > BANDIT_ERRORS * observed.error:
        why = f"outcomes that happened to follow the model speak against it: {STAYS}"
        return Verdict(False, -observed.value, -observed.high, why, observed)
    total = 1 / left.error**2
    told = left.saving * total
    error = observed.error * float(np.sqrt(1 + _FEW_ROWS / max(observed.effective_rows, 0.1)))
    if np.isfinite(error) and error > 0:
        told, total = told - observed.value / error**2, total + 1 / error**2
    return _verdict(told / total, BANDIT_ERRORS / float(np.sqrt(total)), observed)


def trust_of(tries: Floats) -> Floats:
    """How much of a model's claim holds, by how often a strategy was tried: with few rows the best
    of many looks better than it is."""
    return np.asarray(tries / (tries + _TRUST_ROWS))


def _verdict(saving: float, reach: float, observed: Estimate) -> Verdict:
    low = saving - reach
    if low > 0:
        told = f"a row saves {saving:.4g}, at least {low:.4g}"
        return Verdict(True, saving, low, told, observed)
    why = f"that it saves anything is not sure: {STAYS}"
    return Verdict(False, saving, low, why, observed)
