"""From where on somebody is told, and how often."""

from __future__ import annotations

from pydantic import BaseModel, Field

from memtend.limits_upkeep import (
    AGENT_BYTES_ERROR,
    AGENT_BYTES_WARN,
    ALERT_FLAP_MS,
    ALERT_KEEP_MS,
    ALERT_REMIND_MS,
    CACHE_HIT_WARN_SHARE,
    QUERY_P95_WARN_MS,
    REGRET_ERROR_SHARE,
    REGRET_WARN_SHARE,
    STORE_BYTES_ERROR,
    STORE_BYTES_WARN,
)
from memtend.model.alert import AlertLevel


class Steps(BaseModel, frozen=True, extra="forbid"):
    """What a figure must pass for each level; on the limit itself it has not. None: never."""

    warning: float | None = None
    error: float | None = None
    critical: float | None = None

    def limits(self) -> tuple[tuple[AlertLevel, float], ...]:
        """The worst first."""
        steps = (
            (AlertLevel.CRITICAL, self.critical),
            (AlertLevel.ERROR, self.error),
            (AlertLevel.WARNING, self.warning),
        )
        return tuple((level, limit) for level, limit in steps if limit is not None)


class AlertPolicy(BaseModel, frozen=True, extra="forbid"):
    """The section `alerts:` of a policy file.

    People are told from `tell_from` on, and reminded every `remind_ms` (None: never) as long as
    nobody acknowledged. What has ended is kept for `keep_ms`, a day at least: what comes back until
    then is the same alert.
    """

    agent_bytes: Steps = Steps(warning=AGENT_BYTES_WARN, error=AGENT_BYTES_ERROR)
    store_bytes: Steps = Steps(warning=STORE_BYTES_WARN, error=STORE_BYTES_ERROR)
    query_p95_ms: Steps = Steps(warning=QUERY_P95_WARN_MS)
    cache_hit_share: Steps = Steps(warning=CACHE_HIT_WARN_SHARE)
    """The one that is passed downwards."""
    regret_share: Steps = Steps(warning=REGRET_WARN_SHARE, error=REGRET_ERROR_SHARE)
    tell_from: AlertLevel = AlertLevel.WARNING
    remind_ms: int | None = Field(default=ALERT_REMIND_MS, gt=0)
    keep_ms: int = Field(default=ALERT_KEEP_MS, ge=ALERT_FLAP_MS)
