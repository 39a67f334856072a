"""Loading a whole state into an empty database: what a restore builds beside the live store.

Rows come from outside and have been held against their hashes; everything that a write would
derive from them (columns for indexes, tags, totals, the sum, checksums) is derived again here.

Numbers that other processes keep for ever, those of namespaces and replicas, are the ones that the
live store has given out already, so that nobody who has it open takes one name for another after
the swap. New ones leave a gap for those that the live store gives out meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple, TypeVar

import ormsgpack

from memtend.codec.address import read_address
from memtend.codec.compress import Codec
from memtend.codec.envelope import codec_of, unpack
from memtend.codec.statesum import addend, pack_sum
from memtend.limits import MIB
from memtend.model.stored import LogRow, SideRow, StoredRow, StoreState
from memtend.store import messages_moving, migrations, upkeep
from memtend.store.engine import Row, Transaction
from memtend.store.interned import replica_row, tombstone_of
from memtend.store.meta import Meta, crc_of
from memtend.store.sql_learning import SAMPLE

_BATCH: Final = 1_000
_BATCH_BYTES: Final = 1 * MIB
_NAMESPACES_FROM: Final = 65_536
_GAP: Final = 65_536
_REPLICA_GAP: Final = 64

LOCAL_SETTINGS: Final = (SAMPLE, "audit_key", "drill:", "migrate:")
"""Settings that belong to one database and not to the state: never taken from a backup."""

T = TypeVar("T")


class Numbers(NamedTuple):
    """What the live store calls its namespaces and replicas. Empty where there is none.

    `replicas` has the number of each, and when it was drawn. With `erasure_key` the name is known
    under which a namespace is closed.
    """

    namespaces: Mapping[str, int] = {}
    replicas: Mapping[str, tuple[int, int]] = {}
    erasure_key: bytes | None = None


class Contents(NamedTuple):
    """A state to load. Rows and log come by namespace, key and field; `state` is asked last."""

    rows: Iterable[StoredRow]
    log: Iterable[LogRow]
    side: Iterable[SideRow]
    audit: Iterable[SideRow]
    access: Iterable[SideRow]
    state: Callable[[], StoreState]


class Loaded(NamedTuple):
    rows: int
    log_rows: int
    size: int
    sum: bytes


def load(
    tx: Transaction,
    contents: Contents,
    numbers: Numbers,
    *,
    now_ms: int,
    file_id: str,
    beat: Callable[[], None] = lambda: None,
) -> Loaded:
    """Fill an empty database with `contents`, as the same line of history; `beat` runs often."""
    return _Loading(tx, numbers, now_ms, beat).run(contents, file_id)


def is_local(setting: str) -> bool:
    return setting.startswith(LOCAL_SETTINGS)


class _Loading:
    def __init__(
        self,
        tx: Transaction,
        numbers: Numbers,
        now_ms: int,
        beat: Callable[[], None],
    ) -> None:
        self._tx = tx
        self._erasure_key = numbers.erasure_key
        self._now_ms = now_ms
        self._beat = beat
        self._namespaces = dict(numbers.namespaces)
        taken = [*numbers.namespaces.values(), _NAMESPACES_FROM - 1]
        self._next_namespace = max(taken) + 1 + (_GAP if numbers.namespaces else 0)
        self._replicas = dict(numbers.replicas)
        taken = [number for number, _ in numbers.replicas.values()]
        self._next_replica = max(taken, default=0) + 1 + (_REPLICA_GAP if taken else 0)
        self._contested: set[str] = set()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._sizes: Counter[tuple[str, str]] = Counter()
        self._rows = self._bytes = self._sum = 0

    def run(self, contents: Contents, file_id: str) -> Loaded:
        for side in contents.side:
            self._load_side(side)
        before = ("", "", "")
        for rows in _batches(contents.rows, _size_of):
            self._beat()
            made = []
            tags: list[Row] = []
            for row in rows:
                if row[:3] == before:
                    self._contested.add(row.namespace)
                before = row[:3]
                made.append(self._sibling(row, tags))
            self._tx.run_many("insert", made)
            if tags:
                self._tx.run_many("tag", tags)
        log_rows = 0
        for entries in _batches(contents.log):
            self._tx.run_many("log", [self._log(entry) for entry in entries])
            log_rows += len(entries)
        for accesses in _batches(contents.access):
            self._tx.run_many("access", [self._access(row) for row in accesses])
        for trail in _batches(contents.audit):
            self._tx.run_many("audit", [(int(r.name), *ormsgpack.unpackb(r.cells)) for r in trail])
        self._finish(contents.state(), file_id)
        return Loaded(self._rows, log_rows, self._bytes, pack_sum(self._sum))

    def _sibling(self, row: StoredRow, tags: list[Row]) -> Row:
        body = unpack(row.body)
        size = len(row.body) + len(row.value)
        codec = codec_of(row.flags)
        self._rows += 1
        self._bytes += size
        self._sum += addend(row.hash)
        for scope in (("ns", row.namespace), ("agent", body.agent), ("session", body.session)):
            if scope[1] is not None:
                self._count((scope[0], scope[1]), size)
        if codec == Codec.ARCHIVED:
            address = read_address(row.value)
            self._count(("tier", "cold"), size)
            self._count(("tier", "cold before"), address.was_bytes)
            self._count(("tier", "cold kept"), address.kept_bytes)
        elif codec:
            self._count(("tier", "warm"), size)
        tags += [(tag, row.seq) for tag in body.tags]
        return (
            row.seq, self._namespace(row.namespace), row.key, row.field,
            self._replica(body.replica), body.n, row.exp_ms, row.flags, body.kind, body.agent,
            body.writer, row.content, size, row.body, row.value, row.hash,
        )  # fmt: skip

    def _log(self, entry: LogRow) -> Row:
        row = (
            self._namespace(entry.namespace), entry.key, entry.field,
            self._replica(entry.replica), entry.n, entry.seq, entry.at_ms, entry.why,
        )  # fmt: skip
        return (*row, crc_of(row))

    def _access(self, given: SideRow) -> Row:
        row = (self._namespace(given.name), given.field, *ormsgpack.unpackb(given.cells))
        return (*row, crc_of(row))

    def _load_side(self, given: SideRow) -> None:
        cells = ormsgpack.unpackb(given.cells)
        if given.table == "setting" and not is_local(given.name):
            self._tx.run("save_setting", (given.name, *cells))
        elif given.table == "access_grant":
            self._tx.run("grant", (given.name, *given.field.split("\0"), *cells))
        elif given.table == "erasure":
            self._tx.run("erase", (given.name, bytes.fromhex(given.field), *cells))
        elif given.table == "lease_accepted":
            self._tx.run("save_lease_accepted", (given.name, *cells))
        elif given.table == "dictionary":
            self._tx.run("load_dictionary", (int(given.name), *cells, crc_of(tuple(cells))))
        elif given.table == migrations.TABLE:
            migrations.load(self._tx, given)
        elif given.table in upkeep.TRAVELLING:
            upkeep.load(self._tx, given)
        else:
            messages_moving.load(self._tx, given)

    def _finish(self, state: StoreState, file_id: str) -> None:
        messages_moving.settle(self._tx)
        for replica in {state.replica, *state.vv, *state.floor}:
            self._replica(replica)
        self._tx.run_many(
            "load_namespace",
            [(n, path, int(path in self._contested)) for path, n in self._namespaces.items()],
        )
        replicas = []
        for replica, (number, created_ms) in self._replicas.items():
            seen = 0 if replica == state.replica else state.vv.get(replica, 0)
            floor = state.floor.get(replica, 0)
            replicas.append(replica_row(number, replica, seen, floor, created_ms))
        self._tx.run_many("add_replica", replicas)
        for path in self._namespaces:  # whoever has had a record keeps a total
            self._counts["ns", path] += 0
        self._tx.run_many(
            "tally", [(*share, rows, self._sizes[share]) for share, rows in self._counts.items()]
        )
        meta = Meta(
            state.store_id, self._replica(state.replica), state.epoch, state.lease_epoch,
            state.hlc, state.seq, state.vv.get(state.replica, 0), self._rows, self._bytes,
            pack_sum(self._sum), state.audit_n, state.audit_head, 1, self._now_ms, file_id,
        )  # fmt: skip
        self._tx.run("add_meta", (1, *meta.params()))
        tokens = [(resource, n, n) for resource, n in state.tokens.items()]
        self._tx.run_many("save_lease", [(*row, crc_of(row)) for row in tokens])

    def _count(self, share: tuple[str, str], size: int) -> None:
        self._counts[share] += 1
        self._sizes[share] += size

    def _namespace(self, path: str) -> int:
        number = self._namespaces.get(path)
        if number is None:
            closed = tombstone_of(self._erasure_key, path) if self._erasure_key else ""
            number = self._namespaces.pop(closed, None)
            if number is None:
                number = self._next_namespace
                self._next_namespace += 1
            self._namespaces[path] = number
        return number

    def _replica(self, replica: str) -> int:
        known = self._replicas.get(replica)
        if known is None:
            known = self._replicas[replica] = (self._next_replica, self._now_ms)
            self._next_replica += 1
        return known[0]


def _size_of(row: StoredRow) -> int:
    return len(row.value)


def _batches(rows: Iterable[T], size_of: Callable[[T], int] = lambda _: 0) -> Iterator[list[T]]:
    """At most so many rows and, beyond one row, so many bytes."""
    batch: list[T] = []
    held = 0
    for row in rows:
        batch.append(row)
        held += size_of(row)
        if len(batch) == _BATCH or held >= _BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
