"""What a fit of TTLs gives: the policies, and what a person needs to judge them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from memtend.learn.feedback import Floats
from memtend.learn.ttl.objective import Cost, Price
from memtend.learn.ttl.policy import TtlPolicy


class ClassTtl(NamedTuple):
    """A row of the table: one key class. Costs and savings are a mean over accesses, in misses.

    Costs and saving are those of held-out time, against `incumbent_s`, with a 90 % interval.
    `low_s` and `high_s` bound the TTLs that other draws of the same log would have given. Where
    `adopted` is false `ttl_s` is the incumbent, and these say what another would have done.
    """

    name: str
    ttl_s: float
    low_s: float
    high_s: float
    incumbent_s: float
    adopted: bool
    accesses: int
    reused: int
    censored: int
    expected: Cost
    incumbent: Cost
    saving: float
    saving_low: float
    saving_high: float
    evidence: str
    bands: tuple[tuple[float, float], ...] = ()
    """Bytes up to which, and seconds: the finer form, where entries differ in size."""


class Curve(NamedTuple):
    """The survival of a class: share of its entries not used again by each age."""

    name: str
    age_s: Floats
    survival: Floats
    low: Floats
    high: Floats
    ttl_s: float
    incumbent_s: float
    accesses: int


class FrontierPoint(NamedTuple):
    """What a policy would have cost on held-out time, at one break-even time."""

    policy: str  # access | class | incumbent | clairvoyant
    break_even_s: float
    misses: float  # share of accesses
    byte_s: float  # an access


class Estimate(NamedTuple):
    """Off-policy, on the last part of the log, by policies fitted to what was before it.

    `saving` is the mean over accesses of the incumbent's cost less the policy's, `share` the same
    as a share of the incumbent's; its interval of 90 % is made by resampling blocks of time.
    `cost_low` and `cost_high` bound what the policy will cost over as long a time to come.
    What is kept beyond the end of that time counts for neither: times to live longer than it look
    cheaper here than they are, on both sides.
    """

    policy: str  # access | class
    expected: Cost
    incumbent: Cost
    clairvoyant: float
    cost_low: float
    cost_high: float
    saving: float
    saving_low: float
    saving_high: float
    share: float
    accesses: int


class FitReport(NamedTuple):
    """What was tried and decided, in words that a card can print."""

    accesses: int
    classes: int
    censored: int
    mean_size: float
    adopted: str  # access | class | incumbent
    reasons: tuple[str, ...]
    drifted: tuple[str, ...]  # classes whose last part does not look like what was before


@dataclass(frozen=True, eq=False)
class FittedTtl:
    """`policy` decides per access; `table()` is what most will deploy. Both hold incumbents where
    the gate kept them, so that following either is never an unproven change."""

    policy: TtlPolicy
    price: Price
    estimate: Estimate
    report: FitReport
    rows: tuple[ClassTtl, ...]
    shown: tuple[Curve, ...]
    points: tuple[FrontierPoint, ...]

    def table(self) -> tuple[ClassTtl, ...]:
        """One row a key class, by name."""
        return self.rows

    def curves(self) -> tuple[Curve, ...]:
        """Of every class that has a row, in the same order."""
        return self.shown

    def frontier(self) -> tuple[FrontierPoint, ...]:
        """Misses against bytes, over break-even times from an eighth of that asked for to eight
        times it."""
        return self.points
