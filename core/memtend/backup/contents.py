"""Deep verification: every object read once, every row checked, every root recomputed.

Objects are read in key order. The segments of one manifest lie in that order without overlap, so
a single pass feeds the root hashes of all manifests, each with the segments that are its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple, TypeAlias

from memtend.backup.chain import Chain
from memtend.backup.findings import Findings
from memtend.backup.manifest import BackupKind, Manifest, ManifestName, SegmentRef
from memtend.backup.report import FindingKind
from memtend.backup.repository import Repository, object_name
from memtend.backup.root import RootHash
from memtend.backup.take import CheckRow
from memtend.codec.compress import Damaged
from memtend.codec.crypto import Kind
from memtend.codec.segment import Key, Row, Table, decode
from memtend.errors import ObjectDamaged, ObjectMissing, TargetDenied, TargetUnavailable
from memtend.limits import TARGET_FAILURES_MAX
from memtend.model.stored import StoredRow

_Users: TypeAlias = list[tuple[ManifestName, SegmentRef]]


class _Place(NamedTuple):
    """Where a segment comes in the pass; `part` counts the segments that begin with one key."""

    table: Table
    first: Key
    part: int
    object: str


class _Totals:
    def __init__(self) -> None:
        self.root = RootHash()
        self.log_rows = 0


def check_contents(
    repository: Repository, chain: Chain, check_row: CheckRow, findings: Findings
) -> tuple[int, int]:
    """Check every object that the manifests name. Rows and bytes that were read."""
    totals = {name: _Totals() for name in chain}
    reader = _Reader(repository, findings)
    rows = 0
    for place, users in _in_order(chain):
        data = reader.read(place.object, [ref for _, ref in users])
        if data is None:
            continue
        for row in _rows(data, place, users, findings):
            rows += 1
            if isinstance(row, StoredRow) and not check_row(row):
                why = f"{row.namespace}/{row.key} does not match its hash"
                where = object_name(place.object)
                findings.add(FindingKind.ROW_DAMAGED, where, why, object=place.object)
            for user, _ in users:
                _count(totals[user], row)
    for name, manifest in chain.items():
        if findings.is_whole(name, manifest):
            _compare(name, manifest, totals[name], findings)
    return rows, reader.read_bytes


def _in_order(chain: Chain) -> Iterator[tuple[_Place, _Users]]:
    places: dict[_Place, _Users] = defaultdict(list)
    for name, manifest in chain.items():
        begun: Counter[tuple[Table, Key]] = Counter()
        for ref in manifest.segments:
            part = begun[ref.table, ref.first]
            begun[ref.table, ref.first] += 1
            places[_Place(ref.table, ref.first, part, ref.object)].append((name, ref))
    for place in sorted(places):
        yield place, places[place]


class _Reader:
    """Reads objects; gives up on the target after a few failures in a row."""

    def __init__(self, repository: Repository, findings: Findings) -> None:
        self._repository = repository
        self._findings = findings
        self._failures = 0
        self.read_bytes = 0

    def read(self, digest: str, refs: list[SegmentRef]) -> bytes | None:
        """The object's bytes if they are the right ones."""
        if self._findings.is_bad_object(digest):
            return None
        name = object_name(digest)
        try:
            data = self._repository.store.get(name, limit=max(ref.stored_bytes for ref in refs))
        except (ObjectDamaged, ObjectMissing) as error:
            self._findings.add(FindingKind.OBJECT_DAMAGED, name, str(error), object=digest)
            return None
        except (TargetDenied, TargetUnavailable) as error:
            self._failures += 1
            if self._failures >= TARGET_FAILURES_MAX:
                raise
            self._findings.add(FindingKind.OBJECT_UNREADABLE, name, str(error), object=digest)
            return None
        self._failures = 0
        self.read_bytes += len(data)
        if sha256(data).hexdigest() != digest:
            why = "its bytes do not match its name"
            self._findings.add(FindingKind.OBJECT_DAMAGED, name, why, object=digest)
            return None
        try:
            return self._repository.unseal(Kind.SEGMENT, data)
        except Damaged as error:
            self._findings.add(FindingKind.OBJECT_DAMAGED, name, str(error), object=digest)
            return None


def _rows(data: bytes, place: _Place, users: _Users, findings: Findings) -> Iterator[Row]:
    name = object_name(place.object)
    try:
        header, rows = decode(data)
        found = (header.kind, header.table, header.first, header.last, header.rows)
        for user, ref in users:
            if found != (ref.kind, ref.table, ref.first, ref.last, ref.rows):
                why = f"it describes {name} otherwise than the object itself"
                findings.add(FindingKind.COUNT_WRONG, str(user), why, manifest=user)
        yield from rows
    except Damaged as error:
        findings.add(FindingKind.OBJECT_DAMAGED, name, str(error), object=place.object)


def _count(totals: _Totals, row: Row) -> None:
    if isinstance(row, StoredRow):
        totals.root.add(row)
    else:
        totals.log_rows += 1


def _compare(name: ManifestName, manifest: Manifest, totals: _Totals, findings: Findings) -> None:
    found, said = (totals.root.rows, totals.log_rows), (manifest.rows, manifest.log_rows)
    if found != said:
        why = (
            f"{found[0]:,} rows and {found[1]:,} log entries instead of {said[0]:,} and {said[1]:,}"
        )
        findings.add(FindingKind.COUNT_WRONG, str(name), why, manifest=name)
    if manifest.kind is not BackupKind.INCREMENTAL and totals.root.hexdigest() != manifest.root:
        why = "the rows do not give the root hash of the manifest"
        findings.add(FindingKind.ROOT_WRONG, str(name), why, manifest=name)
