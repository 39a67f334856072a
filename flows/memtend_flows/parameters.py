"""The parameters that an operator sees in a form.

Keep this module, and each flow's, free of `from __future__ import annotations`: Prefect builds
the forms from resolved annotations. The pattern is part of the schema, so that the server
refuses an address with credentials before a run exists. Descriptions are the `Args` of a flow's
docstring: Prefect takes them from nowhere else.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from memtend.limits import LABEL_CHARS_MAX as WHY_CHARS_MAX
from memtend.limits import PATH_BYTES_MAX, PERIODS_MAX
from memtend.limits_learning import SEED_MAX
from memtend.limits_upkeep import WORKERS_MAX
from memtend.model.archiverule import NAME_PATTERN
from memtend.model.pattern import compile_pattern
from memtend.model.retention import Retention
from memtend_flows.labels import label_of
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
Pattern = Annotated[
    str,
    Field(min_length=1, max_length=PATH_BYTES_MAX),
    AfterValidator(lambda text: compile_pattern(text).text),
]
_RUN_MAX = 2**31 - 1
Run = Annotated[int, Field(ge=0, le=_RUN_MAX)]
"""The number of a run, from its report; 0 stands for none."""
Scenario = Annotated[str, Field(pattern=NAME_PATTERN)]
Seed = Annotated[int, Field(ge=-1, le=SEED_MAX)]
"""-1 stands for what the policy file says."""
Workers = Annotated[int, Field(ge=0, le=WORKERS_MAX)]
"""How many processes share the work of a run; 0: the run's own does it."""
Why = Annotated[str, Field(max_length=WHY_CHARS_MAX)]


def _label(name: str, _field: object) -> str:
    return label_of(name)


_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_DEFAULT = Retention()


def _count(default: int, periods: str) -> Any:
    said = f"The newest of each of the last so many {periods}; 0 for none."
    return Field(default=default, ge=0, le=PERIODS_MAX, description=said)


class Keep(BaseModel, frozen=True, extra="forbid", field_title_generator=_label):
    """The newest backup of each of the last days, weeks, months and years, and all young ones."""

    within_hours: int = Field(
        default=_DEFAULT.within_ms // _HOUR_MS,
        ge=0,
        le=8_760,
        description="All that are younger than that, up to 8,760 hours.",
    )
    daily: int = _count(_DEFAULT.daily, "days")
    weekly: int = _count(_DEFAULT.weekly, "weeks")
    monthly: int = _count(_DEFAULT.monthly, "months")
    yearly: int = _count(_DEFAULT.yearly, "years")
    max_age_days: int = Field(
        default=(_DEFAULT.max_age_ms or 0) // _DAY_MS,
        ge=0,
        le=36_500,
        description="Nothing older stays, except what is pinned; 0 for no maximum age.",
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
