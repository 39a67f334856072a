"""A lease: the right to use something until a moment, proved by a token that only grows.

Which modes go together (`go_together`):

                 read   write   exclusive
    read         yes    yes     no
    write        yes    no      no
    exclusive    no     no      no

`read` is shared, `write` is one writer beside any readers, `exclusive` is alone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from pydantic import AwareDatetime, BaseModel


class Mode(StrEnum):
    READ = "read"
    WRITE = "write"
    EXCLUSIVE = "exclusive"


_TOGETHER: Final = {
    (Mode.READ, Mode.READ),
    (Mode.READ, Mode.WRITE),
    (Mode.WRITE, Mode.READ),
}


def go_together(one: str, other: str) -> bool:
    """Whether two leases of these modes may be held at the same time."""
    return (one, other) in _TOGETHER


class Fence(NamedTuple):
    """Fencing token: compared lexicographically, never goes back, survives a restore."""

    epoch: int
    n: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.n}"


class Lease(BaseModel, frozen=True, extra="forbid"):
    """As it was granted; renewing makes another with the same `fence`."""

    resource: str
    holder: str
    fence: Fence
    expires_at: AwareDatetime
    mode: Mode = Mode.EXCLUSIVE


class Waiter(BaseModel, frozen=True, extra="forbid"):
    holder: str
    mode: Mode


class Held(BaseModel, frozen=True, extra="forbid"):
    """A resource at one moment: who holds it, and who waits, the next first."""

    resource: str
    at: AwareDatetime
    """By the database's clock."""
    token: Fence
    """The last one granted."""
    leases: tuple[Lease, ...]
    waiting: tuple[Waiter, ...]
