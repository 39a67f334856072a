"""Where the value of an archived record lies. It stands in the row in place of the value.

Everything else of the row stays as it was, so an archived record is still found by key, label and
tag, still expires, and is still replaced and deleted like any other.
"""

from __future__ import annotations

from typing import NamedTuple

import ormsgpack

from memtend.codec.compress import Damaged

_DIGEST_BYTES = 16


class Address(NamedTuple):
    """`object` is the SHA-256 that names the archive object, `offset` and `length` its block.

    `place` is the record's place in the block, `digest` XXH3-128 of its canonical text,
    `was_bytes` the size of the row before, `kept_bytes` its share of the block as stored.
    """

    object: bytes
    offset: int
    length: int
    place: int
    digest: bytes
    was_bytes: int
    kept_bytes: int

    def pack(self) -> bytes:
        return ormsgpack.packb(tuple(self))


def read_address(data: bytes) -> Address:
    """The address in the value column of a stub; raises `Damaged` when it is none."""
    try:
        address = Address._make(ormsgpack.unpackb(data))
    except (ValueError, TypeError) as error:
        raise Damaged("the archive address cannot be read") from error
    numbers = (*address[1:4], *address[5:])
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise Damaged("the archive address has a number that is none")
    if not (isinstance(address.object, bytes) and isinstance(address.digest, bytes)):
        raise Damaged("the archive address has a hash that is none")
    if len(address.digest) != _DIGEST_BYTES:
        raise Damaged("the archive address has a hash of another length")
    return address
