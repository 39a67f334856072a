"""What goes into a backup: everything, what changed, or what changed laid into what is there.

The small tables go into each, whole; unchanged they are the same object. The audit trail grows
only, and each backup has what joined it. Access counts are in full backups alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple, Protocol, TypeAlias

from memtend.backup.cut import cut, cut_delta
from memtend.backup.kinds import Decision
from memtend.backup.layers import CheckRow, Layer, StoredLayer, read_segment, segments_of
from memtend.backup.manifest import BackupKind, Count, SegmentRef
from memtend.backup.repository import Repository
from memtend.backup.root import RootHash
from memtend.backup.synthetic import Change, Fresh, appended, changed_log, changed_paths, splice
from memtend.backup.writing import Progress, Tally, Writer, counts_of
from memtend.codec.segment import Row, Table
from memtend.model.stored import LogRow, SideRow, StoredRow, StoreState

Digest: TypeAlias = bytes


class Snapshot(Protocol):
    """One instant of a store. Rows and log come in order of namespace, key, field and dot.

    `records`, `bytes` and `counts` (rows and bytes by namespace) are the store's own totals.
    """

    @property
    def state(self) -> StoreState: ...

    @property
    def records(self) -> int: ...

    @property
    def bytes(self) -> int: ...

    @property
    def counts(self) -> Mapping[str, tuple[int, int]]: ...

    def rows(self) -> Iterator[StoredRow]: ...

    def changed_rows(self, after: int) -> Iterator[StoredRow]: ...

    def hashes(self) -> Iterator[tuple[str, str, str, Digest]]: ...

    def log(self, after: int = -1) -> Iterator[LogRow]: ...

    def side(self) -> Iterator[SideRow]: ...

    def audit(self, after: int = 0) -> Iterator[SideRow]: ...

    def access(self) -> Iterator[SideRow]: ...

    def seal_of(self, number: int) -> Digest | None: ...


class Filled(NamedTuple):
    """What a manifest says of its segments and of the state that it gives."""

    base: str | None
    seq_after: int
    audit_after: int
    rows: int
    log_rows: int
    counts: dict[str, Count]
    records: int
    record_bytes: int
    state_sum: str
    root: str | None
    damaged_rows: int = 0
    damaged: tuple[str, ...] = ()


class Mismatch(Exception):
    """What is in the repository does not add up with the store to the state of the store."""


def fill(
    decision: Decision,
    snapshot: Snapshot,
    repository: Repository,
    writer: Writer,
    *,
    check_row: CheckRow,
    progress: Progress,
    root: bool,
) -> Filled:
    """Write the segments. Only a full backup leaves damaged rows out; the others raise."""
    if decision.kind is BackupKind.INCREMENTAL:
        tally = Tally(check_row, progress, strict=True)
        return _increment(decision, snapshot, writer, tally, root=root)
    if decision.kind is BackupKind.SYNTHETIC:
        tally = Tally(check_row, progress, strict=True)
        return _synthetic(decision, snapshot, repository, writer, tally, check_row)
    return _full(snapshot, writer, Tally(check_row, progress, strict=False))


def _full(snapshot: Snapshot, writer: Writer, tally: Tally) -> Filled:
    schema = snapshot.state.schema
    writer.put_all(cut(tally.sound(snapshot.rows()), Table.SIBLING, schema))
    writer.put_all(cut(snapshot.log(), Table.LOG, schema))
    writer.put_all(cut(snapshot.side(), Table.SIDE, schema))
    writer.put_all(cut(snapshot.audit(), Table.AUDIT, schema))
    writer.put_all(cut(snapshot.access(), Table.ACCESS, schema))
    counts = tally.counts()
    return Filled(
        base=None,
        seq_after=0,
        audit_after=0,
        rows=tally.rows,
        log_rows=_rows_of(writer, Table.LOG),
        counts=counts,
        records=tally.rows,
        record_bytes=sum(count.bytes for count in counts.values()),
        state_sum=tally.sum.hexdigest(),
        root=tally.root.hexdigest(),
        damaged_rows=tally.damaged_rows,
        damaged=tuple(tally.damaged),
    )


def _increment(
    decision: Decision, snapshot: Snapshot, writer: Writer, tally: Tally, *, root: bool
) -> Filled:
    state, (name, base) = snapshot.state, decision.chain[-1]
    schema, after, audit_after = state.schema, base.store.seq, base.store.audit_n
    writer.put_all(cut_delta(tally.sound(snapshot.changed_rows(after)), Table.SIBLING, schema))
    writer.put_all(cut_delta(snapshot.log(after), Table.LOG, schema))
    writer.put_all(cut(snapshot.side(), Table.SIDE, schema))
    writer.put_all(cut_delta(snapshot.audit(audit_after), Table.AUDIT, schema))
    return Filled(
        base=str(name),
        seq_after=after,
        audit_after=audit_after,
        rows=tally.rows,
        log_rows=_rows_of(writer, Table.LOG),
        counts=tally.counts(),
        records=snapshot.records,
        record_bytes=snapshot.bytes,
        state_sum=state.sum.hex(),
        root=_root(snapshot, writer) if root else None,
    )


def _synthetic(
    decision: Decision,
    snapshot: Snapshot,
    repository: Repository,
    writer: Writer,
    tally: Tally,
    check_row: CheckRow,
) -> Filled:
    state, base, newest = snapshot.state, decision.chain[0][1], decision.chain[-1][1]
    schema = state.schema
    deltas: list[Layer] = [
        *(StoredLayer(repository, one, check_row) for _, one in decision.chain[1:]),
        Fresh(snapshot, newest.store.seq, tally.sound),
    ]
    read: Callable[[SegmentRef], Iterator[Row]] = partial(
        read_segment, repository, check_row=check_row
    )

    def lay(changes: Iterator[Change], table: Table) -> None:
        writer.put_all(splice(segments_of(base, table), changes, read, table, schema))

    lay(changed_paths(deltas), Table.SIBLING)
    lay(changed_log(deltas), Table.LOG)
    writer.put_all(cut(snapshot.side(), Table.SIDE, schema))
    lay(appended(snapshot.audit(base.store.audit_n)), Table.AUDIT)
    writer.put_all(cut(snapshot.access(), Table.ACCESS, schema))
    rows = _rows_of(writer, Table.SIBLING)
    if rows != snapshot.records:
        raise Mismatch(f"the backups hold {rows:,} records and the store {snapshot.records:,}")
    return Filled(
        base=None,
        seq_after=0,
        audit_after=0,
        rows=rows,
        log_rows=_rows_of(writer, Table.LOG),
        counts=counts_of(snapshot.counts),
        records=rows,
        record_bytes=snapshot.bytes,
        state_sum=state.sum.hex(),
        root=_root(snapshot, writer),
    )


def _root(snapshot: Snapshot, writer: Writer) -> str:
    root = RootHash()
    for path_and_hash in _renewing(snapshot.hashes(), writer):
        root.add_hash(*path_and_hash)
    return root.hexdigest()


def _renewing(
    hashes: Iterable[tuple[str, str, str, bytes]], writer: Writer
) -> Iterator[tuple[str, str, str, bytes]]:
    """Nothing is put meanwhile, and the lease runs."""
    for number, one in enumerate(hashes):
        if number % _RENEW_ROWS == 0:
            writer.lease.renew()
        yield one


_RENEW_ROWS = 10_000


def _rows_of(writer: Writer, table: Table) -> int:
    return sum(ref.rows for ref in writer.segments if ref.table is table)
