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
    `content` is the number by which equal values are found; it follows from the value, and is kept
    so that nobody has to open the value for it.
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
    content: int = 0


class LogRow(NamedTuple):
    """One entry of the change log: the event (`replica`, `n`) left no sibling of a path.

    `seq` is where in the change sequence, `at_ms` when, `why` whether deleted or swept.
    """

    namespace: str
    key: str
    field: str
    replica: str
    n: int
    seq: int
    at_ms: int
    why: str


class SideRow(NamedTuple):
    """One row of a small table: settings, grants, dictionaries, erasures, audit, access counts.

    `name` and `field` order the rows of a table; `cells` is a msgpack list of the columns that
    follow them in statement `stream_<table>`, without what only this database knows.
    """

    table: str
    name: str
    field: str
    cells: bytes


class StoreState(NamedTuple):
    """The identity and the clocks of a store at one instant.

    `sum` adds the hashes of all sibling rows modulo 2^128, each a big-endian integer: two states
    with the same rows have the same sum, in whatever order they came about. `tokens` are the
    numbers that leases have reached, by resource.
    """

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
    sum: bytes
    tokens: dict[str, int]
    policy_digest: str | None
