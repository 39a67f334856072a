"""The parameters that an operator sees in a form.

Keep this module, and each flow's, free of `from __future__ import annotations`: Prefect builds
the forms from resolved annotations. The pattern is part of the schema, so that the server
refuses an address with credentials before a run exists. Descriptions are the `Args` of a flow's
docstring: Prefect takes them from nowhere else.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from memtend.limits import LABEL_CHARS_MAX as WHY_CHARS_MAX
from memtend.limits import PERIODS_MAX
from memtend.limits_learning import SEED_MAX
from memtend.model.archiverule import NAME_PATTERN
from memtend.model.pattern import compile_pattern
from memtend.model.retention import Retention
from memtend_tasks.address import PATH_PATTERN, PLAIN_PATTERN, check_path, check_plain

ADDRESSES = ("store", "target", "archive_target", "peer", "dest")
"""Parameters that hold an address; `memory_flow` refuses credentials in them."""
PATHS = ("source",)
"""Parameters that hold a path, and never a URL."""

Store = Annotated[
    str, AfterValidator(check_plain), Field(json_schema_extra={"pattern": PLAIN_PATTERN})
]
Target = Annotated[
    str,
    AfterValidator(lambda text: check_plain(text, "target")),
    Field(json_schema_extra={"pattern": PLAIN_PATTERN}),
]
Archive = Annotated[
    str,
    AfterValidator(lambda text: check_plain(text, "archive_target")),
    Field(json_schema_extra={"pattern": PLAIN_PATTERN}),
]
Peer = Annotated[
    str,
    AfterValidator(lambda text: check_plain(text, "peer")),
    Field(json_schema_extra={"pattern": PLAIN_PATTERN}),
]
Dest = Annotated[
    str,
    AfterValidator(lambda text: check_plain(text, "dest")),
    Field(json_schema_extra={"pattern": PLAIN_PATTERN}),
]
Source = Annotated[
    str, AfterValidator(check_path), Field(json_schema_extra={"pattern": PATH_PATTERN})
]
Reviewed = Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]
"""The digest of a plan that somebody has looked at; empty makes a new one."""
Moment = Annotated[datetime, AfterValidator(lambda at: at if at.tzinfo else at.replace(tzinfo=UTC))]
"""An instant; without a zone it is UTC, which is what the schedules and pages speak."""
Name = Annotated[str, Field(max_length=2 * WHY_CHARS_MAX)]
Pattern = Annotated[str, AfterValidator(lambda text: compile_pattern(text).text)]
Scenario = Annotated[str, Field(pattern=NAME_PATTERN)]
Seed = Annotated[int, Field(ge=-1, le=SEED_MAX)]
"""-1 stands for what the policy file says."""
Why = Annotated[str, Field(max_length=WHY_CHARS_MAX)]


_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_DEFAULT = Retention()


class Keep(BaseModel, frozen=True, extra="forbid"):
    """Which backups stay: the newest of each of the last days, weeks, months and years."""

    within_hours: int = Field(
        default=_DEFAULT.within_ms // _HOUR_MS, ge=0, le=8_760, description="All that are younger."
    )
    daily: int = Field(default=_DEFAULT.daily, ge=0, le=PERIODS_MAX, description="Days.")
    weekly: int = Field(default=_DEFAULT.weekly, ge=0, le=PERIODS_MAX, description="Weeks.")
    monthly: int = Field(default=_DEFAULT.monthly, ge=0, le=PERIODS_MAX, description="Months.")
    yearly: int = Field(default=_DEFAULT.yearly, ge=0, le=PERIODS_MAX, description="Years.")
    max_age_days: int = Field(
        default=(_DEFAULT.max_age_ms or 0) // _DAY_MS,
        ge=0,
        le=36_500,
        description="Nothing older stays for a count; 0 for no maximum. Pins stay all the same.",
    )

    def retention(self) -> Retention:
        counts = self.model_dump(exclude={"within_hours", "max_age_days"})
        within_ms, age_ms = self.within_hours * _HOUR_MS, self.max_age_days * _DAY_MS
        return Retention(**counts, within_ms=within_ms, max_age_ms=age_ms or None)


class Kind(StrEnum):
    """What older memory is: every kind that `memtend import` knows, or what its files look like."""

    DETECT = "detect"
    LIFECYCLE = "lifecycle"
    AML = "aml"
    AML_BACKUP = "aml-backup"
    SWARM = "swarm"
    CLAUDE_FLOW = "claude-flow"
    PICKLED = "pickled"
    JSONL = "jsonl"


class Strategy(StrEnum):
    """By what a prune decides: one of the profile's strategies, or all of them."""

    ALL = "all"
    REDUNDANCY = "redundancy"
    PERFORMANCE = "performance"
    TIME = "time"
    VALUE = "value"
    SPACE = "space"


class Promote(StrEnum):
    """What becomes of a model that the gate lets pass: a form asks, it is put in use, or not."""

    ASK = "ask"
    AUTO = "auto"
    NO = "no"


class TuneTtl(StrEnum):
    """What becomes of times to live: nothing, a plan to read, or trials on a share of the keys."""

    OFF = "off"
    PROPOSE = "propose"
    TRY = "try"


class Step(StrEnum):
    """What an optimization does: one of its steps, or those that nobody has to ask for."""

    ROUTINE = "routine"
    DUPLICATES = "duplicates"
    SIMILAR = "similar"
    DICTIONARIES = "dictionaries"
    COMPRESSION = "compression"
    GARBAGE = "garbage"
    DAMAGED = "damaged"
    STATISTICS = "statistics"
    SPACE = "space"
    REWRITE = "rewrite"


class Depth(StrEnum):
    """How closely backups are looked at."""

    QUICK = "quick"
    SAMPLE = "sample"
    DEEP = "deep"
