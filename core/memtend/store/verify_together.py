"""A verification shared among processes: each hashes the rows of a shard, all of one state.

On PostgreSQL they look at the very snapshot that the first of them has taken. SQLite has no such
thing: each takes its own, at once, and says nothing if that is another state than the first one's.
Where that happens, or where the engine's own check or a piece cannot be trusted, the answer is
None, and the store has to be verified in one piece; otherwise it is the same report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from memtend.limits_upkeep import SHARD_ROWS_MIN, SHARDS_A_WORKER
from memtend.model.findings import StoreVerifyReport
from memtend.model.shard import Shard
from memtend.store.engine import Reader, Row
from memtend.store.meta import Meta
from memtend.store.rowcheck import RowCheck
from memtend.store.shards import cut, numbers_in
from memtend.store.verify import FAULTS, Verification
from memtend.store.verify_rows import Seen

if TYPE_CHECKING:
    from memtend.store.store import Store


class View(NamedTuple):
    """One state of one store, as another process can find it.

    `shared` names a snapshot that the database server hands out; None: whoever looks must compare
    `mark`, which every write changes.
    """

    store_id: str
    mark: tuple[object, ...]
    shared: str | None


class Together:
    """The process that holds the state, looks at what is not cut into shards, and adds up."""

    def __init__(self, store: Store, reader: Reader) -> None:
        self._began_ns = store.clock.monotonic_ns()
        self._store, self._reader = store, reader
        self._check = Verification(store)
        self._trusted = True
        meta = Meta.of(reader.fetch("meta"), store.url)
        self._rows = meta.rows
        self.view = View(meta.store_id, _mark(reader), reader.share())

    def shards(self, processes: int) -> tuple[Shard, ...]:
        """Small ones leave nobody waiting at the end, and each is worth a task. Where every process
        needs a snapshot of its own, there is one for each: they begin at once, before a write."""
        worth = self._rows // SHARD_ROWS_MIN if self.view.shared else 0
        return cut(self._reader, max(processes, min(worth, SHARDS_A_WORKER * processes)))

    def look_at_the_rest(self) -> None:
        """All but the rows of known namespaces."""
        check, reader = self._check, self._reader
        try:
            check.check_engine()
            check.begin(reader)
            unknown = RowCheck(self._store, check.paths, check.replicas)
            check.seen.look(reader.stream("stream_of_none"), unknown, check.meta.seq)
            self._tags = check.count_tags(reader)
            check.check_sums(reader)
        except FAULTS:
            self._trusted = False

    def report(self, parts: Iterable[Seen | None]) -> StoreVerifyReport | None:
        """What `verify_store` would say of this state; None where only that can tell."""
        check = self._check
        for part in parts:
            if part is None:
                return None
            check.seen.join(part)
        if not self._trusted or check.engine.count:
            return None  # an index may not show all that is there
        try:
            check.compare(self._reader, self._tags)
        except FAULTS:
            return None
        return check.report(self._began_ns)


@contextmanager
def together(store: Store) -> Iterator[Together]:
    """Hold the state that all look at. Raises `MemtendError` where there is not even one."""
    with store.engine.snapshot() as reader:
        yield Together(store, reader)


def verify_shard(store: Store, view: View, shard: Shard) -> Seen | None:
    """Hash the rows of one shard; None where this process cannot see the state, or read it."""
    try:
        with store.engine.snapshot(view.shared) as reader:
            if _mark(reader) != view.mark:
                return None
            meta = Meta.of(reader.fetch("meta"), store.url)
            paths = numbers_in(reader, shard)
            replicas: dict[int, str] = {row[0]: row[1] for row in reader.fetch("replicas")}
            seen = Seen()
            rows: Iterator[Row] = reader.stream("stream_of", (store.engine.array(list(paths)),))
            seen.look(rows, RowCheck(store, paths, replicas), meta.seq)
    except FAULTS:
        return None
    return seen


def _mark(reader: Reader) -> tuple[object, ...]:
    """What every write of records changes."""
    [row] = reader.fetch("meta")
    return tuple(bytes(cell) if isinstance(cell, memoryview) else cell for cell in row)
