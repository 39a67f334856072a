"""Copying a whole store to an empty place, on the same engine or the other.

The order, of which every gap leaves either no store at the new place or the whole one:

1. one view of the source; everything of it is read once and held against its hashes
2. the copy is built beside its place, under a name that nobody opens
3. it is verified there as any store is, and its root hash and sum held against the source's
4. it takes its name, as a new replica with the source's audit trail going on in it
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from heapq import merge
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from memtend.backup.root import RootHash
from memtend.backup.wished import Witness
from memtend.codec.compress import Damaged
from memtend.codec.envelope import check_row
from memtend.errors import CopyTaken, CopyWrong, InvalidSettings, StoreExists
from memtend.serving.copy_report import CopyCheck, CopyReport
from memtend.store.adapting import Deed, Reached
from memtend.store.building import Contents, Numbers, load
from memtend.store.copying import COPY, Along, origin_of
from memtend.store.installing import Installed, Place, place_for
from memtend.store.snapshot import Snapshot, snapshot
from memtend.store.store import Store
from memtend.store.verify import verify_store

if TYPE_CHECKING:
    from memtend.clock import Clock
    from memtend.model.stored import StoredRow
    from memtend.settings import Settings

ACTOR = "copy"
_CHANGED_NAMED = 20


class Progress:
    """How many rows have been read so far, for whoever shows it."""

    def __init__(self) -> None:
        self.rows = self.total = 0

    def over(self, rows: Iterable[StoredRow]) -> Iterator[StoredRow]:
        for row in rows:
            if not check_row(row):
                raise Damaged(f"{row.namespace}/{row.key} does not match its hash")
            self.rows += 1
            yield row


class _Proof(NamedTuple):
    """By what two stores are compared: rows, sum of their hashes, root hash over them in order."""

    rows: int
    sum: str
    root: str


def copy_store(
    source_url: str,
    dest_url: str,
    settings: Settings,
    clock: Clock,
    progress: Progress | None = None,
) -> CopyReport:
    """Raises `CopyTaken` where a store is at `dest_url`, `CopyWrong` where the source is damaged.

    The source is only read, and may be written to meanwhile: the copy is the state at one instant.
    """
    began = clock.monotonic_ns()
    done = progress or Progress()
    with closing(_opened(source_url, settings, clock)) as source, snapshot(source) as view:
        done.total = view.records
        place = _place(dest_url, settings, clock, source)
        try:
            proof = _build(source, view, place, clock, done)
            detail = {
                "from": view.state.store_id, "replica": view.state.replica,
                "seq": view.state.seq, "root": proof.root,
            }  # fmt: skip
            reached = Reached(hlc=view.state.hlc, lease_epoch=view.state.lease_epoch)
            installed = _install(place, Deed(ACTOR, detail, reached, action=COPY))
        finally:
            place.built.discard()
        now_seq = source.meta().seq
    return CopyReport(
        source=source.url,
        url=place.url,
        store_id=view.state.store_id,
        rows=proof.rows,
        size_bytes=installed.meta.size,
        root=proof.root,
        state_sum=proof.sum,
        seq=view.state.seq,
        written_since=now_seq - view.state.seq,
        lease_epoch=installed.meta.lease_epoch,
        seconds=(clock.monotonic_ns() - began) / 1e9,
    )


def check_copy(source_url: str, dest_url: str, settings: Settings, clock: Clock) -> CopyCheck:
    """Compare two stores by their root hashes, and say what was written at the source since."""
    with (
        closing(_opened(source_url, settings, clock)) as source,
        closing(_opened(dest_url, settings, clock)) as dest,
        snapshot(source) as ours,
        snapshot(dest) as theirs,
    ):
        found, copied = _proof_of(ours), _proof_of(theirs)
        origin = origin_of(theirs.reader)
        if origin is None or origin.replica not in ours.state.vv | {ours.state.replica: 0}:
            raise CopyWrong(url=dest.url, source=source.url, why="it was not copied from there")
        changed, names = _changed(ours, origin.seq)
        return CopyCheck(
            source=source.url,
            url=dest.url,
            equal=found == copied,
            rows=found.rows,
            copied_rows=copied.rows,
            root=found.root,
            copied_root=copied.root,
            seq=origin.seq,
            source_seq=ours.state.seq,
            changed=changed,
            names=names,
        )


def _changed(view: Snapshot, after: int) -> tuple[int, tuple[str, ...]]:
    """How many keys were written or ended after a sequence number, and the first of them."""
    rows = (row[:2] for row in view.changed_rows(after))
    ended = (entry[:2] for entry in view.log(after))
    count, names = 0, []
    for path, _ in groupby(merge(rows, ended)):
        count += 1
        if count <= _CHANGED_NAMED:
            names.append("/".join(path))
    return count, tuple(names)


def _opened(url: str, settings: Settings, clock: Clock) -> Store:
    if url in ("sqlite://", "", ":memory:"):
        raise InvalidSettings(name="store_url", why="a store in memory ends with its process")
    key_path = str(settings.key_path) if settings.key_path else None
    return Store.open(url, clock=clock, create=False, key_path=key_path)


def _place(url: str, settings: Settings, clock: Clock, source: Store) -> Place:
    key_path = str(settings.key_path) if settings.key_path else None
    try:
        return place_for(url, clock, key_path=key_path, damaged=False, key=source.key)
    except StoreExists as error:
        raise CopyTaken(url=error.facts["url"]) from None


def _install(place: Place, deed: Deed) -> Installed:
    try:
        return place.install(deed)
    except StoreExists as error:
        raise CopyTaken(url=error.facts["url"]) from None


def _build(source: Store, view: Snapshot, place: Place, clock: Clock, done: Progress) -> _Proof:
    passed = Witness()
    wrong = {"url": place.url, "source": source.url}
    try:
        with place.built.loading() as tx:
            contents = Contents(
                passed.over(done.over(view.rows())), view.log(), view.side(), view.audit(),
                view.access(), lambda: view.state,
            )  # fmt: skip
            load(tx, contents, Numbers(), now_ms=clock.now_ms(), file_id="")
            Along.of(view.reader, source.url).write(tx)
    except Damaged as error:
        raise CopyWrong(**wrong, why=str(error)) from error
    proof = _Proof(*passed.found)
    if proof[:2] != (view.records, view.state.sum.hex()):
        raise CopyWrong(**wrong, why="the source's rows are not what its totals say")
    built = Store(place.built.engine, clock, place.key)
    report = verify_store(built)
    if not report.ok:
        first = report.findings[0]
        raise CopyWrong(**wrong, why=f"{first.where}: {first.why}")
    with snapshot(built) as copied:
        if _proof_of(copied) != proof:
            raise CopyWrong(**wrong, why="its root hash is another")
    return proof


def _proof_of(view: Snapshot) -> _Proof:
    """From the index and the totals alone: no value is read."""
    root = RootHash()
    for path_and_hash in view.hashes():
        root.add_hash(*path_and_hash)
    return _Proof(root.rows, view.state.sum.hex(), root.hexdigest())
