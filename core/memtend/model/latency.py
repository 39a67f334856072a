"""How long operations took, in buckets that many processes can add up.

An octave has four buckets, so a bucket is a quarter to an eighth wider than where it begins:

    >>> bucket_of(1_000_000), bounds_of(bucket_of(1_000_000))
    (83, (917504, 1048576))

A quantile is a point on the line through the bucket it falls in, and so off by less than that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

_PARTS: Final = 4
_BITS_MIN: Final = 4
_BITS_MAX: Final = 44  # five hours
_NS_MS: Final = 1e6
QUANTILES: Final = (0.5, 0.95, 0.99)

HOT, WARM, COLD = "hot", "warm", "cold"
TIERS: Final = (HOT, WARM, COLD)
"""By the coldest value that an operation met: as written, compressed, in the archive."""


class OpLatency(NamedTuple):
    """Quantiles of one operation. `operations` is how many there were, about: reads are sampled."""

    op: str
    tier: str
    operations: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


def bucket_of(ns: int) -> int:
    """Runs in the hot path, hence whole numbers and no logarithm."""
    bits = ns.bit_length()
    if bits < _BITS_MIN:
        return _BITS_MIN * _PARTS
    if bits > _BITS_MAX:
        return _BITS_MAX * _PARTS + _PARTS - 1
    return bits * _PARTS + (ns >> (bits - 3) & 3)


def bounds_of(bucket: int) -> tuple[int, int]:
    """From where, and to where exclusive, in nanoseconds. The last one has no end."""
    bits, part = divmod(bucket, _PARTS)
    return (_PARTS + part) << (bits - 3), (_PARTS + part + 1) << (bits - 3)


def quantile_ms(counts: Mapping[int, int], share: float) -> float:
    """The time below which `share` of the operations were; there must be some."""
    rank, below = share * sum(counts.values()), 0
    for bucket, count in sorted(counts.items()):
        if below + count >= rank:
            low, high = bounds_of(bucket)
            return (low + (high - low) * (rank - below) / count) / _NS_MS
        below += count
    raise ValueError("a quantile of nothing")


def latency(op: str, tier: str, counts: Mapping[int, int]) -> OpLatency:
    found = (quantile_ms(counts, share) for share in QUANTILES)
    return OpLatency(op, tier, sum(counts.values()), *found)
