"""What a policy file says besides its rules: schedule, quotas, safety, logging, notes."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from pydantic import AliasChoices, BaseModel, Field

from memtend.limits import AGENT_BYTES_MAX, QUOTA_WARN_SHARE, SESSION_BYTES_MAX, STORE_BYTES_MAX
from memtend.model.archiverule import ArchivePolicy
from memtend.model.policyset import PolicySet
from memtend.model.retention import Retention

if TYPE_CHECKING:
    from memtend.model.alertpolicy import AlertPolicy
    from memtend.model.learnpolicy import LearnPolicy
    from memtend.model.prunepolicy import PrunePolicy

TIME_OF_DAY: Final = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"


class Layout(StrEnum):
    """Whether the categories of a swarm's memory have their own retention behind the rules."""

    SWARM = "swarm"
    NONE = "none"


class CleanupSchedule(BaseModel, frozen=True, extra="forbid"):
    """When the scheduled sweep runs. `time_of_day` is local time, HH:MM."""

    enabled: bool = True
    interval_hours: int = Field(default=24, ge=1, le=8_760)
    time_of_day: str = Field(default="02:00", pattern=rf"^{TIME_OF_DAY}$")


class Quotas(BaseModel, frozen=True, extra="forbid"):
    """Bytes that one agent, one session and the store may hold; a warning comes earlier."""

    agent_bytes: int = Field(default=AGENT_BYTES_MAX, gt=0)
    session_bytes: int = Field(default=SESSION_BYTES_MAX, gt=0)
    store_bytes: int = Field(default=STORE_BYTES_MAX, gt=0)
    warn_share: float = Field(default=QUOTA_WARN_SHARE, gt=0, le=1)


class PolicySafety(BaseModel, frozen=True, extra="forbid"):
    """`delete_share_max` None leaves each operation's own limit in place."""

    delete_share_max: float | None = Field(default=None, ge=0, le=1)


class CleanupLogging(BaseModel, frozen=True, extra="forbid"):
    """What the operator wants logged."""

    level: str = "INFO"
    log_cleanup_operations: bool = True
    log_compression_stats: bool = True


class PolicyFile(BaseModel, frozen=True, extra="forbid"):
    """A whole file. `notes` lists what was accepted but means something else here.

    `layout` None leaves it to the store: `swarm` from the first write through `AgentMemory` on.
    `pruning`, `alerting` and `learning` are what differs from the defaults of `prune`, `alerts` and
    `learn`. They are kept as plain values because every process reads its store's file when it
    starts, and almost none of them prunes, alerts anybody or learns.
    """

    policies: PolicySet = PolicySet()
    layout: Layout | None = None
    schedule: CleanupSchedule = CleanupSchedule()
    quotas: Quotas = Quotas()
    safety: PolicySafety = PolicySafety()
    logging: CleanupLogging = CleanupLogging()
    archive: ArchivePolicy = ArchivePolicy()
    retention: Retention = Retention()
    pruning: dict[str, Any] = Field(default_factory=dict)
    # Files of some stores have all of `alerts` under that name.
    alerting: dict[str, Any] = Field(
        default_factory=dict, validation_alias=AliasChoices("alerting", "alerts")
    )
    learning: dict[str, Any] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @cached_property
    def prune(self) -> PrunePolicy:
        from memtend.model.prunepolicy import PrunePolicy  # noqa: PLC0415

        return PrunePolicy.model_validate(self.pruning)

    @cached_property
    def alerts(self) -> AlertPolicy:
        from memtend.model.alertpolicy import AlertPolicy  # noqa: PLC0415

        return AlertPolicy.model_validate(self.alerting)

    @cached_property
    def learn(self) -> LearnPolicy:
        from memtend.model.learnpolicy import LearnPolicy  # noqa: PLC0415

        return LearnPolicy.model_validate(self.learning)
