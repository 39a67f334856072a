"""A lease while it is held: what `with memory.lease(…) as lease` gives."""

from __future__ import annotations

from datetime import datetime

from pydantic import PrivateAttr

from memtend.model.lease import Lease
from memtend.store.lease_heart import Pulse


class HeldLease(Lease, frozen=True):
    """Knows whether it is still alive. `expires_at` is as it was granted, `until` as renewed."""

    _pulse: Pulse = PrivateAttr()

    @classmethod
    def of(cls, lease: Lease, pulse: Pulse) -> HeldLease:
        held = cls(
            resource=lease.resource, holder=lease.holder, fence=lease.fence,
            expires_at=lease.expires_at, mode=lease.mode,
        )  # fmt: skip
        held._pulse = pulse
        return held

    @property
    def lost(self) -> bool:
        """Whether somebody else may have it by now: time to stop.

        False promises nothing about the next moment. What the next write may do, its token decides.
        """
        return self._pulse.lost

    @property
    def until(self) -> datetime:
        return self._pulse.lease.expires_at

    def renew(self) -> None:
        """Prolong by the TTL it was taken for; raises `StaleLease` once it is lost."""
        self._pulse.renew()
