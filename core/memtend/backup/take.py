"""Taking a backup: one snapshot of a store, in any target, read back before it counts.

What a crash leaves at any point is an older repository plus garbage. The order of writes:

1. lease     nobody else writes or sweeps
2. objects   each put if absent, and read back
3. sync      part of each put: it returns when the object is durable
4. manifest  put and read back; now the backup exists
5. catalog   the caller writes the head (the report's `manifest`) into the store
6. release   or the lease runs out by itself

An increment costs what changed since the backup it builds on, found by the change sequence. What
cannot be continued, because it is not whole or of another history, is followed by a full backup
that says why. Memory holds one segment, or one for each layer merged, however large the store.
"""

from __future__ import annotations

from typing import NamedTuple

from memtend.backup.continuing import chain_to_continue, successor
from memtend.backup.filling import Filled, Mismatch, Snapshot, fill
from memtend.backup.kinds import Decision, decide, full
from memtend.backup.layers import CheckRow, Manifests
from memtend.backup.lease import RepositoryLease
from memtend.backup.manifest import BackupKind, Manifest, ManifestName, StoreFacts
from memtend.backup.report import BackupReport
from memtend.backup.repository import Repository
from memtend.backup.told import told
from memtend.backup.writing import Progress, RowDamaged, Writer
from memtend.clock import Clock, to_datetime
from memtend.codec.compress import Damaged
from memtend.codec.crypto import UserKey
from memtend.errors import ObjectDamaged, ObjectMissing, StoreDamaged
from memtend.objects import ObjectStore
from memtend.store.ledger import erased_after
from memtend.store.logfloor import dropped_after

PURPOSE = "write"


class Asked(NamedTuple):
    """What a backup is to be, and what is to be said of it.

    `at_ms` is read before the snapshot is opened: what was acknowledged by then is in it.
    `root`: compute the root hash of an increment too. `label` says what kind of store it is.
    """

    at_ms: int | None = None
    full: bool = False
    root: bool = False
    who: str = ""
    why: str = ""
    program: str = ""
    label: str = ""


def take(
    snapshot: Snapshot,
    store: ObjectStore,
    clock: Clock,
    *,
    check_row: CheckRow,
    asked: Asked,
    key: UserKey | None = None,
    head: str | None = None,
    holder: str | None = None,
    progress: Progress | None = None,
    manifests: Manifests | None = None,
) -> BackupReport:
    """Back up everything, writing what changed. Safe to repeat.

    `head` is the newest manifest that the catalog knows; if the repository has lost it, the new
    manifest still names it as parent, so that the loss stays visible. `holder` see `lease`.
    `manifests` remembers what was read of them, for whoever takes one backup after the other.
    """
    started_ms, started_ns = clock.now_ms(), clock.monotonic_ns()
    seen: Manifests = {} if manifests is None else manifests
    with RepositoryLease(store, PURPOSE, holder or clock.new_id(), clock) as lease:  # 1
        repository = Repository.create(store, clock, key)
        names = repository.manifests()
        parent, number, notes = successor(names, head)
        decision = _decide(repository, names, snapshot, asked, head, seen)
        decision, filled, writer = _fill(  # 2, 3
            decision,
            snapshot,
            repository,
            lease,
            check_row,
            progress or Progress(),
            root=asked.root,
        )
        manifest = Manifest(
            repo_id=repository.identity.repo_id,
            number=number,
            kind=decision.kind,
            parent=parent,
            base=filled.base,
            seq_after=filled.seq_after,
            audit_after=filled.audit_after,
            at=to_datetime(started_ms if asked.at_ms is None else asked.at_ms),
            store=StoreFacts.of(snapshot.state),
            segments=tuple(writer.segments),
            rows=filled.rows,
            log_rows=filled.log_rows,
            raw_bytes=sum(ref.raw_bytes for ref in writer.segments),
            written_bytes=writer.written_bytes,
            counts=filled.counts,
            records=filled.records,
            record_bytes=filled.record_bytes,
            state_sum=filled.state_sum,
            damaged_rows=filled.damaged_rows,
            left_out=filled.damaged,
            root=filled.root,
            label=asked.label,
            who=asked.who,
            why=asked.why,
            program=asked.program,
            started_at=to_datetime(started_ms),
            finished_at=to_datetime(clock.now_ms()),
        )
        lease.check()
        name = repository.put_manifest(manifest)  # 4
        seen[name] = manifest
    return told(
        store.url,
        name,
        manifest,
        depth=len(decision.chain) if decision.kind is BackupKind.INCREMENTAL else 0,
        segments_new=writer.segments_new,
        encrypted=repository.cipher is not None,
        capabilities=store.probe() if decision.kind is BackupKind.FULL else None,
        seconds=(clock.monotonic_ns() - started_ns) / 1e9,
        notes=(*notes, *_said(decision, manifest, repository, key)),
    )


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
    key: UserKey | None = None,
) -> BackupReport:
    """A full backup, whatever there is already. What is there is not written again."""
    asked = Asked(full=True, who=who, why=why, program=program)
    return take(
        snapshot, store, clock, check_row=check_row, asked=asked, head=head, holder=holder, key=key
    )


def _decide(
    repository: Repository,
    names: list[ManifestName],
    snapshot: Snapshot,
    asked: Asked,
    head: str | None,
    seen: Manifests,
) -> Decision:
    if asked.full or not names:
        return full()
    chain, why = chain_to_continue(repository, names, head, snapshot.state.store_id, seen)
    if not chain or why:
        return full(why)
    # Built on what came before, a backup would keep what was erased for as long as it is kept.
    if erased_after(snapshot.side(), chain[-1][1].store.seq):
        return full("something was erased since the newest one")
    if dropped_after(snapshot.side(), chain[-1][1].store.seq):
        return full("the change log since the newest one is no longer whole")
    return decide(chain, snapshot.state, snapshot.seal_of)


def _fill(
    decision: Decision,
    snapshot: Snapshot,
    repository: Repository,
    lease: RepositoryLease,
    check_row: CheckRow,
    progress: Progress,
    *,
    root: bool,
) -> tuple[Decision, Filled, Writer]:
    """Fill a backup as chosen, or in full where that turns out to be impossible."""

    def attempt(chosen: Decision) -> tuple[Decision, Filled, Writer]:
        writer = Writer(repository, lease)
        filled = fill(
            chosen,
            snapshot,
            repository,
            writer,
            check_row=check_row,
            progress=progress,
            root=root,
        )
        return chosen, filled, writer

    try:
        try:
            return attempt(decision)
        except RowDamaged as damage:
            why = f"{damage} is damaged in the store and has to be left out"
        except (Mismatch, ObjectDamaged, ObjectMissing) as error:
            if decision.kind is not BackupKind.SYNTHETIC:
                raise
            why = f"no full backup can be put together of the earlier ones: {error}"
        progress.rows = 0
        return attempt(full(why))
    except Damaged as error:
        # A segment in another order could not be read back.
        why = f"its index gives records out of order: {error}"
        raise StoreDamaged(url=snapshot.state.store_id, why=why) from None


def _said(
    decision: Decision, manifest: Manifest, repository: Repository, key: UserKey | None
) -> tuple[str, ...]:
    notes = [f"this is {_article(decision.kind)} backup: {decision.why}"] if decision.why else []
    adds_up = manifest.damaged_rows or manifest.state_sum == manifest.store.sum
    if not adds_up:
        notes.append("the records do not add up to the store's sum: run `memtend verify`")
    if key is not None and repository.cipher is None:
        notes.append("it is not encrypted, although a key is set: only a new repository can be")
    return tuple(notes)


def _article(kind: BackupKind) -> str:
    return f"an {kind}" if kind is BackupKind.INCREMENTAL else f"a {kind}"
