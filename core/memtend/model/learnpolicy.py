"""What learning is after: what an outcome costs, how much is explored, how long things stay."""

from __future__ import annotations

from pydantic import BaseModel, Field

from memtend.errors import InvalidPolicy
from memtend.limits import TIME_MS_MAX
from memtend.limits_learning import (
    ACCESS_KEEP_MS,
    ACCESS_ROWS_MAX,
    EXPLORE_RATE,
    OUTCOMES_MAX,
    OUTCOMES_MIN,
    TTL_ACCESSES_MIN,
    TTL_CANARY_MS,
    TTL_FLOOR_MS,
    TTL_REGRET_MAX,
)
from memtend.model.pattern import compile_pattern


class Objective(BaseModel, frozen=True, extra="forbid"):
    """What an outcome costs: `failure` x (1 - score) + `duration` x time + `price` x money.

    Time and money count in units of `duration_full_s` and `cost_full`, five of them at most; None
    takes the median of what is recorded.
    """

    failure: float = Field(default=1.0, ge=0)
    duration: float = Field(default=0.15, ge=0)
    price: float = Field(default=0.05, ge=0)
    duration_full_s: float | None = Field(default=None, gt=0)
    cost_full: float | None = Field(default=None, gt=0)

    def model_post_init(self, _context: object, /) -> None:
        if not self.failure + self.duration + self.price > 0:
            why = "one of failure, duration and price must be above 0"
            raise InvalidPolicy(source="learn rules", where="objective", why=why)


class TtlTuning(BaseModel, frozen=True, extra="forbid"):
    """How times to live may be tuned.

    `break_even_ms` is how long a record of mean size may be kept for the price of one read that
    finds it gone (None: the median time between two reads). Nothing below `namespaces_kept` is
    touched, no time gets shorter than `floor_ms` or longer than `ceiling_ms`. A proposal is tried
    on `canary_share` of a namespace's keys for `canary_ms`, and taken back where more than
    `regret_max` of the reads find something gone.
    """

    break_even_ms: int | None = Field(default=None, gt=0, le=TIME_MS_MAX)
    floor_ms: int = Field(default=TTL_FLOOR_MS, gt=0, le=TIME_MS_MAX)
    ceiling_ms: int | None = Field(default=None, gt=0, le=TIME_MS_MAX)
    namespaces_kept: tuple[str, ...] = ()
    accesses_min: int = Field(default=TTL_ACCESSES_MIN, ge=1)
    canary_share: float = Field(default=0.1, gt=0, le=1)
    canary_ms: int = Field(default=TTL_CANARY_MS, gt=0, le=TIME_MS_MAX)
    regret_max: float = Field(default=TTL_REGRET_MAX, gt=0, le=1)

    def model_post_init(self, _context: object, /) -> None:
        for pattern in self.namespaces_kept:
            compile_pattern(pattern)
        if self.ceiling_ms is not None and self.ceiling_ms < self.floor_ms:
            why = "the ceiling is below the floor"
            raise InvalidPolicy(source="learn rules", where="ttl", why=why)


class LearnPolicy(BaseModel, frozen=True, extra="forbid"):
    """The section `learn:` of a policy file.

    `seed` makes a fit repeatable. `writers_excluded` are agents whose outcomes nothing is learned
    from. `explore` is the share of recommendations that try something else than the best known.
    """

    seed: int = Field(default=0, ge=0, lt=2**31)
    objective: Objective = Objective()
    outcomes_min: int = Field(default=OUTCOMES_MIN, ge=1)
    outcomes_max: int = Field(default=OUTCOMES_MAX, ge=1, le=OUTCOMES_MAX)
    explore: float = Field(default=EXPLORE_RATE, ge=0, le=1)
    writers_excluded: tuple[str, ...] = ()
    incumbents: dict[str, str] = Field(default_factory=dict)
    """By task type, or `*`: the strategy in use today, against which a learned one must hold."""
    accesses: bool = True
    """Whether a sample of reads is kept, from which times to live are tuned."""
    accesses_max: int = Field(default=ACCESS_ROWS_MAX, ge=1_000, le=10 * ACCESS_ROWS_MAX)
    accesses_keep_ms: int = Field(default=ACCESS_KEEP_MS, gt=0, le=TIME_MS_MAX)
    ttl: TtlTuning = TtlTuning()
