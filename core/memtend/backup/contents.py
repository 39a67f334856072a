"""Deep verification: every object read once, every row checked, every root recomputed.

Objects are read in key order. The segments of one manifest lie in that order without overlap, so
a single pass feeds the root hashes of all manifests, each with the segments that are its own.
A pass over some of the objects proves those; roots and sums are compared where all were read.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from memtend.backup.chain import Chain
from memtend.backup.findings import Findings
from memtend.backup.layers import CheckRow
from memtend.backup.manifest import BackupKind, Manifest, ManifestName, SegmentRef
from memtend.backup.reading import Reader
from memtend.backup.report import FindingKind
from memtend.backup.repository import Repository, object_name
from memtend.backup.root import RootHash, RootPart
from memtend.backup.sums import compare_sum
from memtend.codec.compress import Damaged
from memtend.codec.segment import Key, Row, Table, decode
from memtend.model.stored import LogRow, StoredRow

_Users: TypeAlias = list[tuple[ManifestName, SegmentRef]]


class _Place(NamedTuple):
    """Where a segment comes in the pass; `part` counts the segments that begin with one key."""

    table: Table
    first: Key
    part: int
    object: str


class _Segment:
    """What one segment adds to every backup that it is part of."""

    def __init__(self) -> None:
        self.part = RootPart()
        self.sum = 0
        self.log_rows = 0

    def add(self, row: Row) -> None:
        if isinstance(row, StoredRow):
            self.part.add(row)
            self.sum += int.from_bytes(row.hash, "big")
        elif isinstance(row, LogRow):
            self.log_rows += 1


class _Totals:
    def __init__(self) -> None:
        self.root = RootHash()
        self.sum = 0
        self.log_rows = 0

    def add(self, segment: _Segment) -> None:
        self.root.add_part(segment.part)
        self.sum += segment.sum
        self.log_rows += segment.log_rows


@dataclass
class Contents:
    """What a pass read. `checked` are the objects it looked at, sound or not."""

    rows: int = 0
    read_bytes: int = 0
    checked: set[str] = field(default_factory=set)


def check_contents(
    repository: Repository,
    chain: Chain,
    check_row: CheckRow,
    findings: Findings,
    *,
    only: Set[str],
    is_over: Callable[[], bool] = lambda: False,
) -> Contents:
    """Check the objects in `only`, until `is_over` says that it is enough."""
    totals = {name: _Totals() for name in chain}
    reader = Reader(repository, findings)
    done = Contents()
    for place, users in _in_order(chain):
        if place.object not in only:
            continue
        done.checked.add(place.object)
        data = reader.read(place.object, max(ref.stored_bytes for _, ref in users))
        if data is not None:
            segment = _Segment()
            for row in _rows(data, place, users, findings):
                done.rows += 1
                _check(row, place, check_row, findings)
                segment.add(row)
            for user, _ in users:
                totals[user].add(segment)
        if is_over():
            break
    done.read_bytes = reader.read_bytes
    for name, manifest in chain.items():
        if done.checked.issuperset(ref.object for ref in manifest.segments):
            _compare(name, manifest, totals[name], chain, findings)
    return done


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


def _check(row: Row, place: _Place, check_row: CheckRow, findings: Findings) -> None:
    if isinstance(row, StoredRow) and not check_row(row):
        why = f"{row.namespace}/{row.key} does not match its hash"
        where = object_name(place.object)
        findings.add(FindingKind.ROW_DAMAGED, where, why, object=place.object)


def _compare(
    name: ManifestName, manifest: Manifest, totals: _Totals, chain: Chain, findings: Findings
) -> None:
    if not findings.is_whole(name, manifest):
        return
    found, said = (totals.root.rows, totals.log_rows), (manifest.rows, manifest.log_rows)
    if found != said or (manifest.kind is BackupKind.FULL and manifest.records != manifest.rows):
        why = (
            f"{found[0]:,} rows and {found[1]:,} log entries instead of {said[0]:,} and {said[1]:,}"
        )
        findings.add(FindingKind.COUNT_WRONG, str(name), why, manifest=name)
    if manifest.kind is BackupKind.INCREMENTAL:
        return
    if totals.root.hexdigest() != manifest.root:
        why = "the rows do not give the root hash of the manifest"
        findings.add(FindingKind.ROOT_WRONG, str(name), why, manifest=name)
    else:
        compare_sum(name, chain, totals.sum, findings)
