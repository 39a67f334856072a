"""Putting segments into a repository under its lease, and counting what goes in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from memtend.backup.cut import Cut
from memtend.backup.layers import CheckRow
from memtend.backup.lease import RepositoryLease
from memtend.backup.manifest import Count, SegmentRef
from memtend.backup.repository import Repository
from memtend.backup.root import RootHash, StateSum
from memtend.limits import MANIFEST_NAMESPACES_MAX, REPORT_NAMES_MAX
from memtend.model.stored import StoredRow

REST = "**"


class Progress:
    """How far a backup is, for whoever shows it meanwhile."""

    def __init__(self) -> None:
        self.rows = 0


class RowDamaged(Exception):
    """A row of the store does not match its hash; what is being made cannot go without it."""


class Writer:
    """`segments` become those of the manifest, in the order in which they are put."""

    def __init__(self, repository: Repository, lease: RepositoryLease) -> None:
        self._repository = repository
        self.lease = lease
        self.segments: list[SegmentRef] = []
        self.segments_new = 0
        self.written_bytes = 0

    def put(self, cut: Cut) -> None:
        """Store a segment unless it is there, and read it back."""
        self.lease.renew()
        stored = self._repository.put_object(cut.seal())
        if stored.new:
            self.segments_new += 1
            self.written_bytes += stored.size
        self.segments.append(
            SegmentRef(
                object=stored.digest,
                kind=cut.kind,
                table=cut.table,
                first=cut.first,
                last=cut.last,
                rows=cut.rows,
                raw_bytes=cut.raw_bytes,
                stored_bytes=stored.size,
            )
        )

    def put_all(self, segments: Iterable[Cut | SegmentRef]) -> None:
        """Store segments; one that an earlier backup has is named again, unread.

        While one is compressed and stored, the rows of the next are read: two are held at most.
        """
        with ThreadPoolExecutor(max_workers=1) as worker:
            storing: Future[None] | None = None
            for one in segments:
                if storing is not None:
                    storing.result()
                    storing = None
                if isinstance(one, SegmentRef):
                    self.lease.renew()
                    self.segments.append(one)
                else:
                    storing = worker.submit(self.put, one)
            if storing is not None:
                storing.result()


class Tally:
    """Lets sound rows through and counts them."""

    def __init__(self, check_row: CheckRow, progress: Progress, *, strict: bool) -> None:
        self._check_row = check_row
        self._progress = progress
        self._strict = strict
        self._counts: dict[str, list[int]] = {}
        self.root = RootHash()
        self.sum = StateSum()
        self.rows = 0
        self.damaged_rows = 0
        self.damaged: list[str] = []

    def sound(self, rows: Iterable[StoredRow]) -> Iterator[StoredRow]:
        """The rows that match their hash. No read could return the others, so no backup does.

        With `strict` the first of the others raises `RowDamaged`.
        """
        for row in rows:
            if not self._check_row(row):
                if self._strict:
                    raise RowDamaged(f"{row.namespace}/{row.key}")
                self.damaged_rows += 1
                if len(self.damaged) < REPORT_NAMES_MAX:
                    self.damaged.append(f"{row.namespace}/{row.key}")
                continue
            self.root.add(row)
            self.sum.add(row)
            self._count(row)
            yield row

    def counts(self) -> dict[str, Count]:
        return {name: Count(rows=n, bytes=size) for name, (n, size) in self._counts.items()}

    def _count(self, row: StoredRow) -> None:
        self.rows += 1
        self._progress.rows += 1
        name = row.namespace
        if name not in self._counts and len(self._counts) >= MANIFEST_NAMESPACES_MAX:
            name = REST
        count = self._counts.setdefault(name, [0, 0])
        count[0] += 1
        count[1] += len(row.body) + len(row.value)


def counts_of(totals: Mapping[str, tuple[int, int]]) -> dict[str, Count]:
    """The store's own totals per namespace, as a manifest keeps them."""
    counts: dict[str, Count] = {}
    rest = [0, 0]
    for name, (rows, size) in sorted(totals.items()):
        if rows and len(counts) < MANIFEST_NAMESPACES_MAX:
            counts[name] = Count(rows=rows, bytes=size)
        elif rows:
            rest = [rest[0] + rows, rest[1] + size]
    return counts | ({REST: Count(rows=rest[0], bytes=rest[1])} if rest[0] else {})
