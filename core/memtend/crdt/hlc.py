"""The hybrid logical clock (CRDT_SPEC 2): timestamps that respect cause and stay near real time.

A timestamp is one integer, milliseconds `l` above a 16-bit counter `c`. Packed so, every rule of
2.3 to 2.5 is a maximum: a later millisecond beats any counter, and a full counter carries into `l`.

    >>> [unpack(tick(pack(100, 0), now_ms)) for now_ms in (99, 100, 101)]
    [(100, 1), (100, 1), (101, 0)]

The caller keeps the highest timestamp given out, in the transaction that uses it (2.6).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from memtend.errors import PeerClock
from memtend.limits import PEER_AHEAD_MS_MAX

COUNTER_BITS: Final = 16
_COUNTER_MASK: Final = (1 << COUNTER_BITS) - 1


class Stamp(NamedTuple):
    """Who wrote when: a packed time and the replica that breaks ties. Total order (2.1)."""

    hlc: int
    replica: str


def pack(ms: int, counter: int) -> int:
    return ms << COUNTER_BITS | counter


def unpack(hlc: int) -> tuple[int, int]:
    return hlc >> COUNTER_BITS, hlc & _COUNTER_MASK


def millis(hlc: int) -> int:
    """The physical part, the base of every deadline (6.1)."""
    return hlc >> COUNTER_BITS


def tick(high: int, now_ms: int) -> int:
    """The timestamp of a local event, above `high`."""
    return max(high + 1, now_ms << COUNTER_BITS)


def receive(high: int, remote: int, now_ms: int) -> int:
    """The timestamp of receiving `remote`; refuses one that is too far ahead of this clock."""
    ahead_ms = millis(remote + 1) - now_ms
    if ahead_ms > PEER_AHEAD_MS_MAX:
        raise PeerClock(ahead_ms=ahead_ms, limit_ms=PEER_AHEAD_MS_MAX)
    return tick(max(high, remote), now_ms)
