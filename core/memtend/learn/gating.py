"""The gate: a policy is adopted only if its lower bound is not below the incumbent's.

Where all costs are known, the bound is that of the paired differences, row by row. Of a log, the
doubly robust estimate alone would need thousands of outcomes: only rows count in which the policies
differ and the log happened to follow one of them. It is therefore guided by the model, as Thomas
and Brunskill (2016) blend the two: what the model claims to save is taken for `trust` of it, give
or take `CLAIM_ERROR` of it, and what the log says is weighed in by its own error. Both come from
rows that the model had not seen. A model that claims nothing cannot pass.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from memtend.learn.feedback import Floats
from memtend.learn.offpolicy import Estimate, Logged, difference

FULL_ERRORS: Final = 1.0
BANDIT_ERRORS: Final = 0.674
"""Standard errors: one-sided bounds of 84 and 75 %."""
CLAIM_ERROR: Final = 0.65
LEAST: Final = 0.016
"""Of a log: the lower bound must exceed it, in the unit of its costs, which are standardized. Less
is not worth another policy, and is what models find where there is nothing."""
_TRUST_ROWS: Final = 6.0
_FEW_ROWS: Final = 6.0
"""An error seen in so many effective rows is itself uncertain: its square counts twice."""
_STAYS: Final = "the single best strategy stays"


class Verdict(NamedTuple):
    """`saving`: what a row costs less than with the incumbent, and its lower bound. `observed`: the
    doubly robust estimate of the difference, with its 90 % interval; None where costs are known."""

    adopt: bool
    saving: float
    low: float
    why: str
    observed: Estimate | None = None


def gate_paired(saved: Floats) -> Verdict:
    """Of rows that the policy had not seen: what each costs less than with the incumbent."""
    saving = float(saved.mean()) if len(saved) else 0.0
    error = float(saved.std(ddof=1) / np.sqrt(len(saved))) if len(saved) > 1 else np.inf
    return _verdict(saving, FULL_ERRORS * error, 0.0)


def gate_logged(
    log: Logged, target: Floats, base: Floats, predicted: Floats, *, trust: float
) -> Verdict:
    """Of a log, costs standardized: `target` and `base` as probabilities (n, m), `predicted` by
    models that have not seen the row."""
    observed = difference(log, target, base, predicted)
    claimed = -float(((target - base) * predicted).sum(axis=1).mean())
    if claimed <= 0:
        return Verdict(False, claimed, -np.inf, f"the model expects no saving: {_STAYS}", observed)
    weight = 1 / (CLAIM_ERROR * claimed) ** 2
    told, total = trust * claimed * weight, weight
    error = observed.error * float(np.sqrt(1 + _FEW_ROWS / max(observed.effective_rows, 0.1)))
    if np.isfinite(error) and error > 0:
        told, total = told - observed.value / error**2, total + 1 / error**2
    return _verdict(told / total, BANDIT_ERRORS / float(np.sqrt(total)), LEAST, observed)


def trust_of(tries: Floats) -> Floats:
    """How much of a model's claim holds, by how often a strategy was tried: with few rows the best
    of many looks better than it is."""
    return np.asarray(tries / (tries + _TRUST_ROWS))


def _verdict(
    saving: float, reach: float, least: float, observed: Estimate | None = None
) -> Verdict:
    low = saving - reach
    told = f"a row saves {saving:.4g}, at least {low:.4g}"
    if low > least:
        return Verdict(True, saving, low, told, observed)
    return Verdict(False, saving, low, f"{told}: {_STAYS}", observed)
