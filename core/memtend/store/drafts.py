"""A write made ready, and a stored row that it may replace: what goes into a `Change`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import ormsgpack

from memtend.codec.compress import Damaged
from memtend.codec.envelope import Body, unpack
from memtend.crdt.rows import RowKind
from memtend.model.dot import Dot


class Old(NamedTuple):
    """A stored sibling that a write may replace, in the column order of statement `old`."""

    seq: int
    n: int
    exp: int | None
    flags: int
    size: int
    body: bytes
    key: str
    field: str
    ns: int
    r: int
    hash: bytes
    stub: bytes | None = None
    """The value of an archived record: its address."""

    def unpacked(self) -> Body | None:
        """The body, or None where it is damaged: such a row can still be replaced or deleted."""
        try:
            return unpack(self.body)
        except Damaged:
            return None


Described = tuple[Any, ...]
"""The label columns of `Body` from `kind` to `trust`, in their order."""

KIND, AGENT, SESSION, TAGS, WRITER, TRUST = (
    Body._fields.index(name) - Body._fields.index("kind")
    for name in ("kind", "agent", "session", "tags", "writer", "trust")
)


class Draft(NamedTuple):
    """A write made ready outside the lock: checked, encoded, compressed, hashed.

    `data` is the value as stored under `codec`, `size` its canonical length, `content` the hash of
    that text. `labels` None keeps those of the record that is replaced. `ctx` is what the writer
    had seen (siblings it had not seen stay); `expected` are the exact dots for compare-and-set;
    `exp_ms` overrides the deadline that `ttl_ms` would give. `fixed`: the policy, and not the first
    write, decides what kind the key is; `settles`: siblings of other kinds are replaced, too.
    """

    namespace: str
    key: str
    field: str
    data: bytes
    codec: int
    dictionary: int | None
    size: int
    content: int
    labels: Described | None
    extra: bytes | None
    ttl_ms: int | None
    type: int = RowKind.PLAIN
    exp_ms: int | None = None
    created_ms: int | None = None
    ctx: Mapping[str, int] | frozenset[Dot] | None = None
    expected: frozenset[Dot] | None = None
    writer: str | None = None
    fixed: bool = False
    settles: bool = False


def pack_extra(extra: dict[str, object]) -> bytes | None:
    return ormsgpack.packb(extra) if extra else None
