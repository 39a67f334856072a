"""What a chain of backups says together: the newest layer that touches a path wins.

A layer holds whole paths: all siblings of each path that it touches, and the log entries that
joined since the layer below. A path with nothing but log entries has no siblings left. So merging
looks at one path at a time, and holds one open segment per layer, however large the store.

Every object is compared with its hash, its manifest and, row by row, the rows' own hashes as it
is read; what does not fit raises before it is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Protocol, TypeAlias

from memtend.backup.manifest import BackupKind, Manifest, ManifestName, SegmentRef
from memtend.backup.repository import Repository, object_name
from memtend.codec.compress import Damaged
from memtend.codec.segment import Key, Row, Table, decode, key_of
from memtend.errors import ManifestDamaged, ObjectDamaged
from memtend.limits import CHAIN_MANIFESTS_MAX
from memtend.model.stored import LogRow, SideRow, StoredRow

CheckRow = Callable[[StoredRow], bool]
Chain: TypeAlias = tuple[tuple[ManifestName, Manifest], ...]
_Touch: TypeAlias = tuple[Key, int, StoredRow | None]
Manifests: TypeAlias = MutableMapping[ManifestName, Manifest]


class Layer(Protocol):
    """Rows and log entries in order of namespace, key, field, and then dot or replica."""

    def rows(self) -> Iterator[StoredRow]: ...

    def log(self) -> Iterator[LogRow]: ...


class Merged:
    """Several layers seen as one. Itself a layer."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._newest_first = tuple(reversed(layers))

    def rows(self) -> Iterator[StoredRow]:
        """The siblings of each path, as the newest layer that touches it has them."""
        path, newest = None, 0
        # Below the oldest layer there is nothing that its log could hide.
        for key, rank, row in self._touches(self._newest_first[:-1]):
            if key != path:
                path, newest = key, rank >> 1
            if row is not None and rank >> 1 == newest:
                yield row

    def paths(self) -> Iterator[tuple[Key, list[StoredRow]]]:
        """Every path that any layer touches, with the siblings that it has now; perhaps none."""
        for path, touches in groupby(self._touches(self._newest_first), key=itemgetter(0)):
            newest, siblings = -1, []
            for _, rank, row in touches:
                newest = rank >> 1 if newest < 0 else newest
                if row is not None and rank >> 1 == newest:
                    siblings.append(row)
            yield path, siblings

    def log(self) -> Iterator[LogRow]:
        """The newest entry of each path and replica."""
        streams = [_by_replica(one.log(), age) for age, one in enumerate(self._newest_first)]
        before = None
        for key, _, row in merge(*streams):
            if key != before:
                yield row
            before = key

    def _touches(self, hiding: Sequence[Layer]) -> Iterator[_Touch]:
        """By path, newest layer first. A log entry of a layer in `hiding` has no row."""
        streams = [_tagged(one.rows(), 2 * age) for age, one in enumerate(self._newest_first)]
        streams += [_ended(one.log(), 2 * age + 1) for age, one in enumerate(hiding)]
        return merge(*streams)


# A rank is found in one stream only, so rows themselves are never compared.
def _tagged(rows: Iterator[StoredRow], rank: int) -> Iterator[_Touch]:
    return ((key_of(row), rank, row) for row in rows)


def _ended(log: Iterator[LogRow], rank: int) -> Iterator[_Touch]:
    return ((key_of(row), rank, None) for row in log)


def _by_replica(log: Iterator[LogRow], rank: int) -> Iterator[tuple[tuple[str, ...], int, LogRow]]:
    return ((row[:4], rank, row) for row in log)


class StoredLayer:
    """What one manifest holds, read from its repository one segment at a time."""

    def __init__(self, repository: Repository, manifest: Manifest, check_row: CheckRow) -> None:
        self._repository = repository
        self._manifest = manifest
        self._check_row = check_row

    def rows(self) -> Iterator[StoredRow]:
        return (row for row in self.table(Table.SIBLING) if isinstance(row, StoredRow))

    def log(self) -> Iterator[LogRow]:
        return (row for row in self.table(Table.LOG) if isinstance(row, LogRow))

    def side(self, table: Table) -> Iterator[SideRow]:
        return (row for row in self.table(table) if isinstance(row, SideRow))

    def table(self, table: Table) -> Iterator[Row]:
        return read_segments(self._repository, segments_of(self._manifest, table), self._check_row)


class State:
    """The whole state that a chain gives. Iterators start anew at each call."""

    def __init__(self, repository: Repository, chain: Chain, check_row: CheckRow) -> None:
        self.repository = repository
        self.chain = chain
        self._layers = [StoredLayer(repository, one, check_row) for _, one in chain]
        self._merged = Merged(self._layers)

    @property
    def name(self) -> ManifestName:
        return self.chain[-1][0]

    @property
    def manifest(self) -> Manifest:
        return self.chain[-1][1]

    def rows(self) -> Iterator[StoredRow]:
        return self._merged.rows()

    def log(self) -> Iterator[LogRow]:
        return self._merged.log()

    def side(self) -> Iterator[SideRow]:
        """Settings, grants, dictionaries, erasures: whole in every backup."""
        return self._layers[-1].side(Table.SIDE)

    def audit(self) -> Iterator[SideRow]:
        """The audit trail, put together of its parts."""
        for layer in self._layers:
            yield from layer.side(Table.AUDIT)

    def audit_after(self, number: int) -> Iterator[SideRow]:
        """The entries after `number`, read from the layers that have any."""
        for (_, manifest), layer in zip(self.chain, self._layers, strict=True):
            if manifest.store.audit_n > number:
                entries = layer.side(Table.AUDIT)
                yield from (entry for entry in entries if int(entry.name) > number)

    def access(self) -> Iterator[SideRow]:
        """Access counts, as old as the full backup that the chain begins with."""
        return self._layers[0].side(Table.ACCESS)


def open_state(
    repository: Repository,
    name: ManifestName | str,
    *,
    check_row: CheckRow,
    manifests: Manifests | None = None,
) -> State:
    """The state that a backup gives. Only manifests are read yet; `manifests` remembers them."""
    chain = find_chain(repository, name, {} if manifests is None else manifests)
    return State(repository, chain, check_row)


def find_chain(repository: Repository, name: ManifestName | str, manifests: Manifests) -> Chain:
    """`name` and what it builds on, the full backup first; `ManifestDamaged` if they do not fit."""
    parsed = ManifestName.parse(name) if isinstance(name, str) else name
    if parsed is None:
        raise _odd(repository, name, "its name is none of a manifest")
    chain: list[tuple[ManifestName, Manifest]] = []
    while parsed is not None:
        if parsed not in manifests:
            manifests[parsed] = repository.get_manifest(parsed)
        manifest = manifests[parsed]
        if manifest.repo_id != repository.identity.repo_id:
            raise _odd(repository, parsed, f"it belongs to repository {manifest.repo_id}")
        if chain and not follows(chain[-1][1], manifest):
            raise _odd(repository, parsed, f"{chain[-1][0]} does not continue it")
        chain.append((parsed, manifest))
        if (manifest.kind is BackupKind.INCREMENTAL) != (manifest.base is not None):
            raise _odd(repository, parsed, f"it is {manifest.kind} and builds on {manifest.base}")
        if len(chain) > CHAIN_MANIFESTS_MAX:
            raise _odd(repository, parsed, "it builds on too many others")
        parsed = ManifestName.parse(manifest.base) if manifest.base is not None else None
        if manifest.base is not None and parsed is None:
            raise _odd(repository, chain[-1][0], "what it builds on is no manifest")
    return tuple(reversed(chain))


def follows(manifest: Manifest, base: Manifest) -> bool:
    """Whether an increment begins where `base` ends, in the same history."""
    ours, theirs = manifest.store, base.store
    return (
        (ours.store_id, ours.replica) == (theirs.store_id, theirs.replica)
        and manifest.seq_after == theirs.seq
        and manifest.audit_after == theirs.audit_n
        and manifest.number > base.number
    )


def segments_of(manifest: Manifest, table: Table) -> list[SegmentRef]:
    return [ref for ref in manifest.segments if ref.table is table]


def read_segments(
    repository: Repository, refs: Sequence[SegmentRef], check_row: CheckRow
) -> Iterator[Row]:
    """The rows of segments that lie behind each other in key order."""
    last: Key | None = None
    for ref in refs:
        if last is not None and ref.first < last:
            raise ObjectDamaged(
                url=repository.store.url, name=object_name(ref.object), why="it is out of order"
            )
        last = ref.last
        yield from read_segment(repository, ref, check_row)


def read_segment(repository: Repository, ref: SegmentRef, check_row: CheckRow) -> Iterator[Row]:
    """The rows of one segment, each checked; `ObjectDamaged` at the first thing that is wrong."""
    try:
        # Nothing else holds the stored bytes, so `decode` decides how long they stay.
        header, rows = decode(repository.get_object(ref.object, limit=ref.stored_bytes))
        found = (header.kind, header.table, header.first, header.last, header.rows)
        if found != (ref.kind, ref.table, ref.first, ref.last, ref.rows):
            raise Damaged("its manifest describes it otherwise")
        for row in rows:
            if isinstance(row, StoredRow) and not check_row(row):
                raise Damaged(f"{row.namespace}/{row.key} does not match its hash")
            yield row
    except Damaged as error:
        name = object_name(ref.object)
        raise ObjectDamaged(url=repository.store.url, name=name, why=str(error)) from None


def _odd(repository: Repository, name: ManifestName | str, why: str) -> ManifestDamaged:
    return ManifestDamaged(url=repository.store.url, name=str(name), why=why)
