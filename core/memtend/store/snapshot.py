"""One consistent view of the whole store, while writers go on: what a backup reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING

from memtend.codec.compress import Damaged
from memtend.codec.envelope import unpack
from memtend.model.stored import LogRow, StoredRow, StoreState
from memtend.store.engine import Reader

if TYPE_CHECKING:
    from memtend.store.store import Store


class Snapshot:
    """Rows come in an order that does not depend on the engine: namespace, key, field, dot."""

    def __init__(self, store: Store, reader: Reader) -> None:
        self._reader = reader
        self.state: StoreState = store.state(reader)
        tallies = [row for row in reader.fetch("tallies") if row[0] == "ns"]
        self.records: int = sum(row[2] for row in tallies)
        self.bytes: int = sum(row[3] for row in tallies)

    def rows(self) -> Iterator[StoredRow]:
        for number, namespace, _ in self._reader.fetch("namespaces"):
            rows = (
                StoredRow(
                    namespace, key, field, seq, exp, flags, bytes(body), bytes(value), bytes(digest)
                )
                for key, field, seq, exp, flags, body, value, digest in self._reader.stream(
                    "stream", (number,)
                )
            )
            # Engines number replicas differently; only the ids themselves give one order.
            for _, group in groupby(rows, key=lambda row: (row.key, row.field)):
                siblings = list(group)
                yield from siblings if len(siblings) == 1 else sorted(siblings, key=_order)

    def log(self) -> Iterator[LogRow]:
        return (LogRow._make(row) for row in self._reader.stream("stream_log"))


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
