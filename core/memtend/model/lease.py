"""A lease: the right to change something until a moment, proved by a token that only grows."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import AwareDatetime, BaseModel


class Fence(NamedTuple):
    """Fencing token: compared lexicographically, never goes back, survives a restore."""

    epoch: int
    n: int


class Lease(BaseModel, frozen=True, extra="forbid"):
    resource: str
    holder: str
    fence: Fence
    expires_at: AwareDatetime
