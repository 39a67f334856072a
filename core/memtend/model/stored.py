"""Rows exactly as stored: what the store hands to a backup and takes back from one.

Plain tuples without validation, because they travel by the million; whoever reads them from
outside checks the hash before believing them.
"""

from __future__ import annotations

from typing import NamedTuple


class StoredRow(NamedTuple):
    """One sibling exactly as stored.

    `body` is a msgpack list of metadata (dot, kind, agent, tags, times …), `value` the stored
    bytes under the codec that `flags` name, `hash` 16 bytes over every other column that matters.
    """

    namespace: str
    key: str
    field: str
    seq: int
    exp_ms: int | None
    flags: int
    body: bytes
    value: bytes
    hash: bytes


class LogRow(NamedTuple):
    """One entry of the change log: dot (`replica`, `n`) wrote or removed a path at `seq`."""

    namespace: str
    key: str
    field: str
    replica: str
    n: int
    seq: int


class StoreState(NamedTuple):
    """The identity and the clocks of a store at one instant."""

    store_id: str
    replica: str
    epoch: int
    lease_epoch: int
    schema: str
    seq: int
    hlc: int
    vv: dict[str, int]
    floor: dict[str, int]
    audit_n: int
    audit_head: bytes
