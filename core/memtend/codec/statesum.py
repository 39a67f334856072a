"""The sum of a state: the hashes of all its rows, added modulo 2^128.

It does not depend on the order, so a store keeps it with every change. It tells two states apart as
well as the rows' own hashes do: against accidents, not against forgers.
"""

from __future__ import annotations

from typing import Final

SUM_BYTES: Final = 16
SUM_VALUES: Final = 2 ** (8 * SUM_BYTES)


def addend(digest: bytes) -> int:
    """What a row with this hash adds."""
    return int.from_bytes(digest, "big")


def pack_sum(total: int) -> bytes:
    """The sum as stored. `total` may have grown beyond the modulus, or fallen below zero."""
    return (total % SUM_VALUES).to_bytes(SUM_BYTES, "big")
