"""One consistent view of the whole store, while writers go on: what a backup reads.

Everything comes in an order that does not depend on the engine, and all of it can also be had as
what changed after a point of the change sequence, at a cost that grows with the changes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import ormsgpack

from memtend.codec.compress import Damaged
from memtend.codec.envelope import unpack
from memtend.limits import MIB
from memtend.model.stored import LogRow, SideRow, StoredRow, StoreState
from memtend.store import messages_moving, migrations, upkeep
from memtend.store.engine import Reader, Row
from memtend.store.sampling import SETTING as LOOKS
from memtend.store.sql_learning import SAMPLE

if TYPE_CHECKING:
    from memtend.store.store import Store

_BATCH: Final = 500
Digest: TypeAlias = bytes
_BATCH_BYTES: Final = 4 * MIB
AUDIT_KEY: Final = "audit_key"
_STAYING: Final = (AUDIT_KEY, LOOKS, SAMPLE)
"""The settings that never leave the store: its key, how far its rows were looked at, which keys it
samples."""


class Snapshot:
    """Rows come by namespace, key, field and dot; log entries by namespace, key, field, replica."""

    def __init__(self, store: Store, reader: Reader) -> None:
        self.reader = reader
        self._array = store.engine.array
        self.state: StoreState = store.state(reader)

    @cached_property
    def counts(self) -> dict[str, tuple[int, int]]:
        """Rows and bytes of each namespace. Only asked for: it costs as much as there are names."""
        tallies = [row for row in self.reader.fetch("tallies") if row[0] == "ns"]
        return {row[1]: (row[2], row[3]) for row in tallies}

    @property
    def records(self) -> int:
        return sum(rows for rows, _ in self.counts.values())

    @property
    def bytes(self) -> int:
        return sum(size for _, size in self.counts.values())

    def rows(self, wanted: Callable[[str], bool] = lambda _: True) -> Iterator[StoredRow]:
        """All rows, or those of the namespaces that are `wanted`."""
        for number, namespace, _ in self.reader.fetch("namespaces"):
            if not wanted(namespace):
                continue
            rows = (_stored(namespace, *row) for row in self.reader.stream("stream", (number,)))
            yield from _by_dot(rows)

    def hashes(self) -> Iterator[tuple[str, str, str, Digest]]:
        """Path and hash of every row, in the order of `rows`, without any value."""
        replicas = {row[0]: str(row[1]) for row in self.reader.fetch("replicas")}
        for number, namespace, _ in self.reader.fetch("namespaces"):
            found = self.reader.stream("stream_hashes", (number,))
            for (key, field), group in groupby(found, key=lambda row: row[:2]):
                siblings = list(group)
                if len(siblings) > 1:
                    siblings.sort(key=lambda row: (replicas[row[2]], row[3]))
                for row in siblings:
                    yield namespace, key, field, bytes(row[4])

    def changed_rows(self, after: int) -> Iterator[StoredRow]:
        """All siblings of every path that was written or ended after sequence number `after`."""
        return _by_dot(self._found(self.reader.stream("stream_changed", (after, after))))

    def log(self, after: int = -1) -> Iterator[LogRow]:
        """The change log, or what joined it after sequence number `after`."""
        return (LogRow._make(row) for row in self.reader.stream("stream_log", (after,)))

    def side(self) -> Iterator[SideRow]:
        """The small tables, whole: settings, grants, dictionaries, erasures, tokens, messages …"""
        for agent, pattern, right, crc in self.reader.fetch("stream_access_grant"):
            yield _side("access_grant", agent, f"{pattern}\0{right}", (crc,))
        yield from upkeep.side_rows(self.reader, "alert")
        yield from messages_moving.early_rows(self.reader)
        for number, kind, data, made_ms in self.reader.fetch("stream_dictionaries"):
            yield _side("dictionary", f"{number:020d}", "", (kind, bytes(data), made_ms))
        for kind, digest, at_hlc, seq, crc in self.reader.stream("stream_erasure"):
            yield _side("erasure", kind, bytes(digest).hex(), (at_hlc, seq, crc))
        for resource, epoch, n, crc in self.reader.fetch("stream_lease_accepted"):
            yield _side("lease_accepted", resource, "", (epoch, n, crc))
        yield from messages_moving.late_rows(self.reader)
        yield from migrations.side_rows(self.reader)
        yield from upkeep.side_rows(self.reader, "model", "pruning", "regret")
        for name, value, crc in self.reader.fetch("stream_setting"):
            if name not in _STAYING:
                yield _side("setting", name, "", (value, crc))
        yield from upkeep.side_rows(self.reader, "silence", "trial")

    def audit(self, after: int = 0) -> Iterator[SideRow]:
        """The audit trail, or its entries after number `after`."""
        for number, at_ms, action, actor, detail, seal in self.reader.stream(
            "stream_audit", (after,)
        ):
            cells = (at_ms, action, actor, detail, bytes(seal))
            yield _side("audit", f"{number:020d}", "", cells)

    def access(self) -> Iterator[SideRow]:
        """How often and when each record was read."""
        for namespace, key, count, at_ms in self.reader.stream("stream_reads"):
            yield _side("access", namespace, key, (count, at_ms))

    def seal_of(self, number: int) -> Digest | None:
        """The seal of an audit entry: whether this store has the history that it is said to."""
        rows = self.reader.fetch("seal_of", (number,))
        return bytes(rows[0][0]) if rows else None

    def _found(self, seqs: Iterator[Row]) -> Iterator[StoredRow]:
        """The rows of these sequence numbers, in their order, a batch at a time."""
        batch: list[int] = []
        held_bytes = 0
        for seq, size in seqs:
            batch.append(seq)
            held_bytes += size
            if len(batch) == _BATCH or held_bytes >= _BATCH_BYTES:
                yield from self._fetched(batch)
                batch, held_bytes = [], 0
        yield from self._fetched(batch)

    def _fetched(self, seqs: list[int]) -> Iterator[StoredRow]:
        rows = self.reader.fetch("rows_by_seq", (self._array(seqs),)) if seqs else []
        by_seq = {row[3]: _stored(*row) for row in rows}
        return (by_seq[seq] for seq in seqs)


def _stored(
    namespace: str,
    key: str,
    field: str,
    seq: int,
    exp: int | None,
    flags: int,
    body: bytes,
    value: bytes,
    digest: bytes,
    content: int,
) -> StoredRow:
    cells = flags, 0 if exp is None else exp, content, body, value, digest
    if not all(map(isinstance, cells, _TYPES)):
        # SQLite hands over whatever type stands in the file. No hash is empty: this one is damaged.
        return StoredRow(str(namespace), str(key), str(field), seq, None, 0, b"", b"", b"")
    return StoredRow(
        namespace, key, field, seq, exp, flags, bytes(body), bytes(value), bytes(digest), content
    )


_TYPES: Final = (int, int, int, bytes, bytes, bytes)


def _side(table: str, name: str, field: str, cells: tuple[Any, ...]) -> SideRow:
    return SideRow(table, name, field, ormsgpack.packb(cells))


def _by_dot(rows: Iterator[StoredRow]) -> Iterator[StoredRow]:
    """Engines number replicas differently; only the ids themselves give siblings one order."""
    for _, group in groupby(rows, key=lambda row: row[:3]):
        siblings = list(group)
        yield from siblings if len(siblings) == 1 else sorted(siblings, key=_order)


def _order(row: StoredRow) -> tuple[str, int]:
    """By dot. A damaged body has none; whoever reads the row finds that out by its hash."""
    try:
        return unpack(row.body).dot
    except Damaged:
        return "", row.seq


@contextmanager
def snapshot(store: Store) -> Iterator[Snapshot]:
    with store.engine.snapshot() as reader:
        yield Snapshot(store, reader)
