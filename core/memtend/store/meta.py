"""The one row of `meta`: identity, clocks and totals of a store, guarded by a checksum."""

from __future__ import annotations

from typing import Any, NamedTuple
from zlib import crc32

import ormsgpack

from memtend.errors import StoreDamaged
from memtend.store.engine import Row


class Meta(NamedTuple):
    """`n` counts the dots of the current replica, `seq` all changes, `hlc` is the highest given.

    `config` grows with every change of policies, grants or quotas, so that other processes notice.
    """

    store_id: str
    replica_no: int
    epoch: int
    lease_epoch: int
    hlc: int
    seq: int
    n: int
    rows: int
    size: int
    sum: bytes
    audit_n: int
    audit_head: bytes
    config: int
    created_ms: int
    file_id: str

    def params(self) -> tuple[Any, ...]:
        return (*self, crc_of(self))

    @classmethod
    def of(cls, rows: list[Row], url: str) -> Meta:
        """The meta row that a statement returned; raises `StoreDamaged`."""
        if len(rows) != 1:
            raise StoreDamaged(url=url, why=f"meta holds {len(rows)} rows instead of one")
        *fields, crc = rows[0]
        meta = cls(*fields)
        if crc_of(meta) != crc:
            raise StoreDamaged(url=url, why="the meta row does not match its checksum")
        return meta


def crc_of(values: tuple[Any, ...]) -> int:
    """Checksum of a small row. It finds damage; it does not stop a forger."""
    return crc32(ormsgpack.packb(tuple(values)))
