"""The last-writer-wins register (CRDT_SPEC 3.1): the greater timestamp is the value.

For stand-alone values only. Rows of the store keep losers until somebody overwrites them
(CRDT_SPEC 4.4), because a loser dropped while merging comes back when the winner is deleted.
A deleted value leaves a record that may be forgotten only when it is causally stable (7.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from memtend.crdt.base import HLC_MAX, Json, integer, items, text


def order_key(hlc: int, replica: str, value: bytes | None) -> tuple[int, str, bytes]:
    """Who wins. The hash decides only if a replica id was wrongly reused."""
    return hlc, replica, b"" if value is None else sha256(value).digest()


@dataclass(frozen=True, slots=True)
class LWWRegister:
    """`value` is a canonical JSON text, or None when nothing is there (never written, deleted)."""

    hlc: int = 0
    replica: str = ""
    value: bytes | None = None

    @property
    def key(self) -> tuple[int, str, bytes]:
        return order_key(self.hlc, self.replica, self.value)

    def write(self, hlc: int, replica: str, value: bytes | None) -> LWWRegister:
        """Write, or delete with None. A write older than this one changes nothing."""
        return self.merge(LWWRegister(hlc, replica, value))

    def merge(self, other: LWWRegister) -> LWWRegister:
        return self if self.key >= other.key else other

    def delta(self, known: LWWRegister) -> LWWRegister:
        return self if self.key > known.key else LWWRegister()

    def encode(self) -> Json:
        return [self.hlc, self.replica, None if self.value is None else self.value.decode()]

    @classmethod
    def decode(cls, data: Json) -> Self:
        hlc, replica, value = items(data, 3)
        written = None if value is None else text(value).encode()
        return cls(integer(hlc, HLC_MAX), text(replica), written)
