"""What may be asked of leases: checked at the door, before the database is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from memtend.errors import InvalidName, LimitExceeded
from memtend.limits import (
    LABEL_CHARS_MAX,
    LEASE_TTL_MS_MAX,
    LEASE_WAIT_S_MAX,
    LEASES_TOGETHER_MAX,
    TOKEN_MAX,
)
from memtend.model.lease import Fence, Mode

ModeName = Literal["read", "write", "exclusive"]


def in_order(resources: Iterable[str]) -> list[str]:
    ordered = sorted(set(resources))
    if len(ordered) > LEASES_TOGETHER_MAX:
        raise LimitExceeded(
            what="number of leases", name="multi", actual=len(ordered), limit=LEASES_TOGETHER_MAX
        )
    return ordered


def checked_holder(holder: str) -> str:
    if not 0 < len(holder) <= LABEL_CHARS_MAX or not holder.isprintable():
        why = f"it is not 1 to {LABEL_CHARS_MAX} printable characters"
        raise InvalidName(what="holder", name=holder[:LABEL_CHARS_MAX], why=why)
    return holder


def mode_of(resource: str, mode: str) -> Mode:
    try:
        return Mode(mode)
    except ValueError:
        why = f"mode {mode!r} is not read, write or exclusive"
        raise InvalidName(what="lease", name=resource, why=why) from None


def bounded_ttl(resource: str, ttl_ms: int) -> int:
    if not 0 < ttl_ms <= LEASE_TTL_MS_MAX:
        raise LimitExceeded(what="ttl_ms", name=resource, actual=ttl_ms, limit=LEASE_TTL_MS_MAX)
    return int(ttl_ms)  # a float would not come back from a column as it went in


def bounded_wait(resource: str, wait_s: float) -> float:
    if not 0 <= wait_s <= LEASE_WAIT_S_MAX:
        raise LimitExceeded(
            what="wait_s", name=resource, actual=wait_s, limit=int(LEASE_WAIT_S_MAX)
        )
    return wait_s


def fence_of(resource: str, token: tuple[int, int]) -> Fence:
    for part in token:
        if not 0 <= part <= TOKEN_MAX:
            raise LimitExceeded(what="token", name=resource, actual=part, limit=TOKEN_MAX)
    return Fence(*token)
