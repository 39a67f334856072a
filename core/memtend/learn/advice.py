"""What a recommendation says: a strategy, how likely it was to be named, what to expect, why."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from memtend.learn.feedback import Floats


class Likely(NamedTuple):
    """A calibrated probability of success, with its 90 % interval."""

    value: float
    low: float
    high: float


class Alternative(NamedTuple):
    """A strategy that was not named; the figures are those of `Advice`."""

    strategy: str
    success: Likely | None
    expected_cost: float
    saving: float


class Reason(NamedTuple):
    """A field of the context and how much it speaks for the strategy (below 0: against it): by how
    much more the strategy is ahead of the runner-up than with the field's usual value."""

    field: str
    value: str
    effect: float


class PastCase(NamedTuple):
    """An outcome in a situation like this. `case` is a digest of its id; `alike` is the share of
    trees that do not tell the two situations apart."""

    case: str
    strategy: str
    success: float
    cost: float
    alike: float


class Advice(NamedTuple):
    """Write `propensity` down with the outcome: without it less is learned from it.

    `explored`: something else than the best known was drawn. `expected_cost` counts from the
    strategy that is expected to cost least here, `saving` from the incumbent: how much less the
    task is expected to cost; both in the objective's unit.
    """

    strategy: str
    propensity: float
    explored: bool
    success: Likely | None
    expected_cost: float
    incumbent: str
    saving: float
    learned: bool
    """Whether the context was asked; False: the incumbent, for `why`."""
    why: str
    alternatives: tuple[Alternative, ...] = ()
    reasons: tuple[Reason, ...] = ()
    cases: tuple[PastCase, ...] = ()


class ManyAdvice(NamedTuple):
    """Of many contexts, as columns. `strategy` counts in `strategies`."""

    strategies: tuple[str, ...]
    strategy: NDArray[np.int64]
    propensity: Floats
    explored: NDArray[np.bool_]
    learned: NDArray[np.bool_]
    expected_cost: Floats
    saving: Floats
