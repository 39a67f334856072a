"""What pictures of learning show: figures with their intervals, counted when a model was fitted.

They lie in `ModelEntry.facts["pictures"]` as JSON, so that whoever draws them fits nothing and
reads no outcomes. Names in them (strategies, features, classes) come from memory: text, no markup.
None is what is not known, an empty tuple what there is none of. Intervals hold 90 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, Field, ValidationError

from memtend.limits_learning import (
    PICTURE_BARS_MAX,
    PICTURE_BINS_MAX,
    PICTURE_LINES_MAX,
    PICTURE_POINTS_MAX,
)

PICTURES: Final = "pictures"
"""Under this name of a model's facts."""


class Part(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Finite figures only: JSON knows no others."""


class Estimate(Part):
    """A figure and where it lies with 90 % confidence."""

    value: float
    low: float
    high: float


class Bin(Part):
    """`count` predictions near `predicted`; as many of them came true as `observed` says."""

    predicted: float = Field(ge=0, le=1)
    observed: Estimate
    count: int = Field(ge=1)


class Reliability(Part):
    """Predicted probabilities against what happened, on outcomes that were not learned from."""

    bins: tuple[Bin, ...] = Field(min_length=1, max_length=PICTURE_BINS_MAX)
    error: float
    """The mean distance between the two, weighted by counts."""


class Spent(Part):
    """Costs added up until then. `oracle` is the least that was possible, where that is known."""

    at_ms: int
    tasks: int
    learned: Estimate
    single: float
    oracle: float | None = None


class RegretCurve(Part):
    """What following the model would have cost, against the best single strategy and the bound."""

    single: str
    """The best single strategy."""
    points: tuple[Spent, ...] = Field(min_length=2, max_length=PICTURE_POINTS_MAX)


class GapBar(Part):
    """How much of the gap between the best single strategy (0) and the best for each task (1) is
    closed, in tasks of a type; `adopted`: the model is followed there."""

    name: str
    gap: Estimate
    tasks: int
    adopted: bool = True


class Influence(Part):
    """How much worse the costs get, as a share, when a feature is shuffled."""

    feature: str
    share: Estimate


class Drift(Part):
    """A statistic over time that alarms above its limit."""

    name: str
    limit: float
    points: tuple[tuple[int, float], ...] = Field(min_length=1, max_length=PICTURE_POINTS_MAX)
    """When, and how much."""
    said: str = ""


class Successes(Part):
    """How a strategy succeeded, period by period."""

    strategy: str
    points: tuple[tuple[int, Estimate, int], ...] = Field(max_length=PICTURE_POINTS_MAX)
    """The middle of the period, the share of success, how many outcomes."""


class StrategyPictures(Part):
    """All of one model of strategies."""

    reliability: Reliability | None = None
    regret: RegretCurve | None = None
    gaps: tuple[GapBar, ...] = Field(default=(), max_length=PICTURE_BARS_MAX)
    influences: tuple[Influence, ...] = Field(default=(), max_length=PICTURE_BARS_MAX)
    drift: Drift | None = None
    successes: tuple[Successes, ...] = Field(default=(), max_length=PICTURE_LINES_MAX)


class Survival(Part):
    """Of the accesses to a class of keys, the share that is followed by no other one until then."""

    name: str
    points: tuple[tuple[int, Estimate], ...] = Field(min_length=2, max_length=PICTURE_POINTS_MAX)
    """Milliseconds after an access, and the share."""
    accesses: int
    chosen_ms: int | None = None
    """The time to live that is proposed. None: for ever, or none is."""
    current_ms: int | None = None


class Frontier(Part):
    """One way to keep: what it costs to store, and what is missed. `role`: chosen, current, or ''
    for what was possible besides."""

    line: str
    """Ways of one kind are drawn as one line."""
    name: str
    stored: float
    """Bytes times days, of a mean access."""
    missed: float
    """The share of accesses that would have found it gone."""
    role: str = ""


class TtlPictures(Part):
    """All of one model of times to live."""

    survivals: tuple[Survival, ...] = Field(default=(), max_length=PICTURE_LINES_MAX)
    frontier: tuple[Frontier, ...] = Field(default=(), max_length=PICTURE_POINTS_MAX)


Kind = TypeVar("Kind", bound=Part)


def pictures_in(facts: Mapping[str, Any], kind: type[Kind]) -> Kind | None:
    """Those of a model, of the kind asked for; None where it has none, or none of this form."""
    try:
        return kind.model_validate(facts[PICTURES])
    except (KeyError, ValidationError):
        return None
