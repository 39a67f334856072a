"""What a check of the alerts did, and who was told."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel

from memtend.model.alert import Alert, AlertLevel


class Delivery(BaseModel, frozen=True, extra="forbid"):
    """What one channel was told, or was not: then `why` says so, and it is tried again next time.

    `channel` names no address and no secret.
    """

    channel: str
    alerts: int
    why: str = ""


class AlertReport(BaseModel, frozen=True, extra="forbid"):
    """`standing` is every alert that is not resolved, the worst first; the four before are what
    has changed by this check. `left_out` counts what was found beyond the bound of one rule."""

    operation: str = "alerts"
    at: AwareDatetime
    opened: tuple[Alert, ...] = ()
    raised: tuple[Alert, ...] = ()
    lowered: tuple[Alert, ...] = ()
    resolved: tuple[Alert, ...] = ()
    told: tuple[Delivery, ...] = ()
    untold: tuple[Delivery, ...] = ()
    standing: tuple[Alert, ...] = ()
    left_out: int = 0

    @property
    def worst(self) -> AlertLevel | None:
        """The highest level that stands; None where nothing does."""
        return self.standing[0].level if self.standing else None
