"""Taking a full backup: one snapshot of a store, in any target, read back before it counts.

What a crash leaves at any point is an older repository plus garbage. The order of writes:

1. lease     nobody else writes or sweeps
2. objects   each put if absent, and read back
3. sync      part of each put: it returns when the object is durable
4. manifest  put and read back; now the backup exists
5. catalog   the caller writes the head (the report's `manifest`) into the store
6. release   or the lease runs out by itself

Memory holds one segment, however large the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from memtend.backup.cut import cut
from memtend.backup.lease import RepositoryLease
from memtend.backup.manifest import (
    BackupKind,
    Count,
    Manifest,
    ManifestName,
    SegmentRef,
    StoreFacts,
)
from memtend.backup.report import BackupReport
from memtend.backup.repository import Repository
from memtend.backup.root import RootHash
from memtend.clock import Clock, to_datetime
from memtend.codec.segment import Row, SegmentKind, Table
from memtend.limits import MANIFEST_NAMESPACES_MAX, REPORT_NAMES_MAX
from memtend.model.stored import LogRow, StoredRow, StoreState
from memtend.objects import ObjectStore

CheckRow = Callable[[StoredRow], bool]
PURPOSE = "write"


class Snapshot(Protocol):
    """One instant of a store. Rows and log come in order of namespace, key, field and dot."""

    @property
    def state(self) -> StoreState: ...

    def rows(self) -> Iterator[StoredRow]: ...

    def log(self) -> Iterator[LogRow]: ...


def take_full(
    snapshot: Snapshot,
    store: ObjectStore,
    clock: Clock,
    *,
    check_row: CheckRow,
    who: str = "",
    why: str = "",
    program: str = "",
    head: str | None = None,
    holder: str | None = None,
) -> BackupReport:
    """Back up everything. Safe to repeat: what is there already is not written again.

    `head` is the newest manifest that the catalog knows; if the repository has lost it, the new
    manifest still names it as parent, so that the loss stays visible. `holder` see `lease`.
    """
    started_ms, started_ns = clock.now_ms(), clock.monotonic_ns()
    with RepositoryLease(store, PURPOSE, holder or clock.new_id(), clock) as lease:  # 1
        repository = Repository.create(store, clock)
        capabilities = store.probe()
        parent, number, notes = _successor(repository, head)
        taking = _Taking(repository, lease, check_row)
        taking.write(snapshot)  # 2, 3
        manifest = Manifest(
            repo_id=repository.identity.repo_id,
            number=number,
            kind=BackupKind.FULL,
            parent=parent,
            seq_after=0,
            at=to_datetime(started_ms),
            store=StoreFacts.of(snapshot.state),
            segments=tuple(taking.segments),
            rows=taking.root.rows,
            log_rows=taking.log_rows,
            raw_bytes=sum(ref.raw_bytes for ref in taking.segments),
            counts=taking.counts(),
            records=taking.root.rows,
            record_bytes=sum(count.bytes for count in taking.counts().values()),
            state_sum=snapshot.state.sum.hex(),
            damaged_rows=taking.damaged_rows,
            root=taking.root.hexdigest(),
            who=who,
            why=why,
            program=program,
            started_at=to_datetime(started_ms),
            finished_at=to_datetime(clock.now_ms()),
        )
        lease.check()
        name = repository.put_manifest(manifest)  # 4
    return BackupReport(
        url=store.url,
        manifest=str(name),
        number=number,
        kind=manifest.kind,
        parent=parent,
        store_id=manifest.store.store_id,
        seq=manifest.store.seq,
        root=taking.root.hexdigest(),
        rows=manifest.rows,
        log_rows=manifest.log_rows,
        segments=len(manifest.segments),
        segments_new=taking.segments_new,
        raw_bytes=manifest.raw_bytes,
        stored_bytes=sum(ref.stored_bytes for ref in manifest.segments),
        written_bytes=taking.written_bytes,
        damaged_rows=taking.damaged_rows,
        damaged=tuple(taking.damaged),
        capabilities=capabilities,
        started_at=manifest.started_at,
        finished_at=manifest.finished_at,
        seconds=(clock.monotonic_ns() - started_ns) / 1e9,
        notes=notes,
    )


def _successor(repository: Repository, head: str | None) -> tuple[str | None, int, tuple[str, ...]]:
    """Parent and number of the next manifest, and what is to be said about them."""
    names = repository.manifests()
    newest = names[-1] if names else None
    known = ManifestName.parse(head) if head else None
    parent, notes = newest, tuple[str, ...]()
    if known is not None and known not in names:
        notes = (f"{known}, the newest backup that the store knows, is not in the repository",)
        parent = max(known, newest) if newest else known
    return (str(parent), parent.number + 1, notes) if parent else (None, 1, notes)


class _Taking:
    """The running totals of one backup."""

    def __init__(self, repository: Repository, lease: RepositoryLease, check_row: CheckRow) -> None:
        self._repository = repository
        self._lease = lease
        self._check_row = check_row
        self._counts: dict[str, list[int]] = {}
        self.root = RootHash()
        self.segments: list[SegmentRef] = []
        self.segments_new = 0
        self.written_bytes = 0
        self.log_rows = 0
        self.damaged_rows = 0
        self.damaged: list[str] = []

    def write(self, snapshot: Snapshot) -> None:
        schema = snapshot.state.schema
        self._put(self._sound(snapshot.rows()), Table.SIBLING, schema)
        self._put(self._logged(snapshot.log()), Table.LOG, schema)

    def counts(self) -> dict[str, Count]:
        return {name: Count(rows=n, bytes=size) for name, (n, size) in self._counts.items()}

    def _put(self, rows: Iterable[Row], table: Table, schema: str) -> None:
        for sealed in cut(rows, table, schema):
            self._lease.renew()
            stored = self._repository.put_object(sealed.data)
            if stored.new:
                self.segments_new += 1
                self.written_bytes += len(sealed.data)
            self.segments.append(
                SegmentRef(
                    object=stored.digest,
                    kind=SegmentKind.BASE,
                    table=table,
                    first=sealed.first,
                    last=sealed.last,
                    rows=sealed.rows,
                    raw_bytes=sealed.raw_bytes,
                    stored_bytes=len(sealed.data),
                )
            )

    def _sound(self, rows: Iterable[StoredRow]) -> Iterator[StoredRow]:
        """The rows that match their hash. No read could return the others, so no backup does."""
        for row in rows:
            if not self._check_row(row):
                self.damaged_rows += 1
                if len(self.damaged) < REPORT_NAMES_MAX:
                    self.damaged.append(f"{row.namespace}/{row.key}")
                continue
            self.root.add(row)
            self._count(row)
            yield row

    def _logged(self, log: Iterable[LogRow]) -> Iterator[LogRow]:
        for entry in log:
            self.log_rows += 1
            yield entry

    def _count(self, row: StoredRow) -> None:
        name = row.namespace
        if name not in self._counts and len(self._counts) >= MANIFEST_NAMESPACES_MAX:
            name = "**"
        count = self._counts.setdefault(name, [0, 0])
        count[0] += 1
        count[1] += len(row.body) + len(row.value)
