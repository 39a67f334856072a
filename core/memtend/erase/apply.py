"""Carry out a cleared erasure. The order leaves no gap through which anything could come back:

1. ledger   what is erased is written down as keyed hashes, with the first rows dropped in the same
            transaction: from here on no restore and no import brings it back
2. rows     the rest, in slices under the lease's fence, each with its log entries, access counts
            and, where labels decide, the ledger's note of the paths that are empty now
3. names    change log, access counts, ghosts, sampled accesses, alerts, learned models, trials,
            operations, totals that name what is gone;
            audit trail (redacted under its seals); namespaces without content (closed); messages
            from and to the subject, and its memberships
4. plans    saved plans that name it, and its rows among those that could not be read
5. archive  blocks are rewritten without it
6. bytes    stores that restores have kept are removed, files are rebuilt, the WAL is cut
7. scan     tables, files, archive and plans are searched for traces

A crash leaves traces, never a way back. Running the same erasure again does what is left: steps 3
to 7 ask the ledger and the subject, not the rows, what there is to forget.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from memtend.erase.plan import ErasePlan
from memtend.erase.report import EraseReport
from memtend.erase.saved import forget_plans
from memtend.erase.scan import scan
from memtend.erase.unreadable import forget_unreadable
from memtend.limits import MAINTENANCE_LEASE_MS, SLICE_ROWS_MAX, SLICE_ROWS_MIN
from memtend.model.subject import SubjectKind
from memtend.slices import Slices
from memtend.store import closing, leases, owned, redacting, rewriting
from memtend.store.alerts_erasing import forget_alerts
from memtend.store.erasing import Erased, Eraser, named_keys
from memtend.store.evidence import sample
from memtend.store.learned_erasing import forget_learned
from memtend.store.ledger import Filter
from memtend.store.messages_erasing import erase_messages
from memtend.store.pruned_erasing import forget_pruned
from memtend.store.swapping import drop_kept

if TYPE_CHECKING:
    from datetime import datetime

    from memtend.guard import Cleared
    from memtend.objects import ObjectStore
    from memtend.store.store import Store

_RENEW_SLICES: Final = 64
_LAST_GRANTS: Final = "its grants stay: without any grant, every agent may do everything"
_OTHERS: Final = (
    "records of others name it as their writer or agent: erase those with --writer or --agent"
)
_UNFINISHED: Final = "an earlier erasure of something else was cut off: run it again"
_NO_UNDO: Final = "the store that a restore had replaced held it too: it was removed, so no undo"
_SETTINGS: Final = "policies, grants or leases still contain the name; they are yours to change"


class Archive(Protocol):
    """What erasure needs of an archive. `erased(namespace, key, body)` says what must go."""

    def names(self, erased: Callable[[str, str, bytes], bool]) -> set[tuple[str, str]]:
        """Where such entries are from, if a prune has kept them and nothing else from there."""

    def purge(self, erased: Callable[[str, str, bytes], bool]) -> int:
        """Write every object that holds such an entry anew, without it; how many there were."""

    def residue(self, erased: Callable[[str, str, bytes], bool]) -> int:
        """How many such entries are left."""


def apply_erase(
    cleared: Cleared,
    store: Store,
    *,
    plans: ObjectStore | None = None,
    archive: Archive | None = None,
    full: bool = False,
    backups_until: datetime | None = None,
) -> EraseReport:
    """Erase the subject of the plan. Safe to repeat; `full` rewrites PostgreSQL's tables."""
    plan, clock = cleared.plan, store.clock
    if not isinstance(plan, ErasePlan):
        raise TypeError("an erasure needs an erasure plan")
    began = clock.monotonic_ns()
    work = _Erasure(cleared, plan, store)
    with rewriting.overwriting(store):
        seqs = list(owned.seqs_of(store, plan.subject))
        seen = sample(store, plan.subject, seqs)
        work.drop(seqs)  # 1, 2
        operations = store.ballast.deleting(
            lambda: closing.forget_operations(
                store, work.eraser.events, seen.gives_away, cleared.lease
            )
        )
        work.forget_names(archive)  # 3
    deleted = forget_plans(plans, work.ledger.holds, seen.texts) if plans else 0  # 4
    unreadable = forget_unreadable(plans, work.ledger) if plans else 0
    purged = archive.purge(work.ledger.erased_entry) if archive else 0  # 5
    copies = drop_kept(store.engine, None)  # 6
    rewritten = rewriting.rewrite(store, full=full)
    evidence, places = scan(  # 7
        store, plan.subject, work.eraser, seen.texts, work.ledger, plans=plans, archive=archive
    )
    notes = [*rewritten.notes, *work.notes]
    notes += [f"traces are left in {place}" for place in places]
    notes += [_NO_UNDO] * bool(copies)
    notes += [_SETTINGS] * bool(evidence.settings)
    notes += [_OTHERS] * bool(evidence.others)
    notes += [_UNFINISHED] * bool(evidence.unfinished)
    return EraseReport(
        operation="erase",
        applied=True,
        kind=plan.kind,
        planned=plan.rows,
        deleted=work.done.rows,
        bytes_freed=work.done.bytes,
        log_entries=work.done.log,
        access_counts=work.done.access,
        messages=work.messages,
        operations=operations,
        audit_redacted=work.redacted,
        namespaces_closed=work.closed,
        grants_revoked=work.revoked,
        plans_deleted=deleted,
        unreadable_rows=unreadable,
        ledger_entries=work.done.ledger,
        archive_entries=purged,
        copies_removed=len(copies),
        rewritten=rewritten.whole,
        evidence=evidence,
        backups_until=backups_until,
        slices=work.slices.count,
        longest_lock_ms=work.slices.longest_ms,
        seconds=(clock.monotonic_ns() - began) / 1e9,
        notes=tuple(notes),
    )


class _Erasure:
    """Steps 1 to 3: everything inside the database."""

    def __init__(self, cleared: Cleared, plan: ErasePlan, store: Store) -> None:
        self._subject = plan.subject
        self._store = store
        self._lease = cleared.lease
        self.eraser = Eraser(store, plan.subject, cleared.lease)
        self.done = Erased()
        self.slices = Slices(store.clock)
        self.redacted = self.closed = self.revoked = self.messages = 0
        self.notes: list[str] = []

    def drop(self, seqs: Sequence[int]) -> None:
        first = seqs[:SLICE_ROWS_MIN]
        self._slice(lambda: self.eraser.begin(first, len(seqs)))
        self._drop(seqs[len(first) :])
        # What was written while the first ones were looked for.
        self._drop(list(owned.seqs_of(self._store, self._subject, self.eraser.upto)))

    def forget_names(self, archive: Archive | None) -> None:
        store, subject = self._store, self._subject
        if subject.by_label:
            paths = store.namespaces.load()
            self._forget_dead(archive)
        else:
            covered = owned.covered(store, subject)
            paths = list(covered.values())
            key = subject.name if subject.kind is SubjectKind.RECORD else None
            for number in covered:
                for page in named_keys(store, number, key):
                    self._slice(partial(self.eraser.forget, number, page))
        store.ballast.deleting(lambda: forget_pruned(store, subject, self._lease))
        store.ballast.deleting(lambda: forget_alerts(store, subject, self._lease))
        store.ballast.deleting(lambda: forget_learned(store, subject, self._lease))
        self._renew()
        self.ledger, secret, lease = Filter.load(store.engine), self.eraser.key, self._lease
        room = store.ballast.deleting
        self.redacted = room(lambda: redacting.redact(store, self.ledger, lease))
        self.closed = room(lambda: closing.close_namespaces(store, secret, paths, lease))
        if subject.kind is SubjectKind.AGENT:
            revoked = room(lambda: closing.revoke_grants(store, subject.name, lease))
            self.revoked, kept = revoked
            self.notes += [_LAST_GRANTS] * bool(kept)

        self.messages = room(lambda: erase_messages(store, self.ledger, lease))

    def _drop(self, seqs: Sequence[int]) -> None:
        for page in self.slices.of(seqs):
            self._slice(partial(self.eraser.drop, page))

    def _forget_dead(self, archive: Archive | None) -> None:
        """Names of records that are no more, and of which the audit trail or what a prune has kept
        of them says that they were the subject's."""
        found: dict[int, dict[str, None]] = {}
        ids = self._store.namespaces.ids
        places = archive.names(Filter.load(self._store.engine).erased_entry) if archive else set()
        if self._subject.kind in (SubjectKind.AGENT, SubjectKind.WRITER):
            places.update(redacting.written_by(self._store, self._subject))
        for namespace, key in sorted(places):
            if namespace in ids:
                found.setdefault(ids[namespace][0], {})[key] = None
        for number, keys in found.items():
            names = list(keys)
            for at in range(0, len(names), SLICE_ROWS_MAX):
                page = names[at : at + SLICE_ROWS_MAX]
                self._slice(partial(self.eraser.forget, number, page))

    def _slice(self, step: Callable[[], Erased]) -> None:
        done = self.slices.timed(lambda: self._store.ballast.deleting(step))
        self.done = self.done.plus(done)
        if self.slices.count % _RENEW_SLICES == 0:
            self._renew()

    def _renew(self) -> None:
        store, lease = self._store, self._lease
        store.ballast.deleting(lambda: leases.renew(store, lease, MAINTENANCE_LEASE_MS))
