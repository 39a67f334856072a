"""Carry out a cleared prune. The order leaves no moment in which a record is nowhere:

1. archive   objects with whole records, read back, and their manifests, read back
2. rows      in slices, each one transaction under the lease's fence: they go, with a ghost of
             each, what the ones that stay take over, and the history that tells of it

A crash before 2 leaves entries that nobody names, and every record where it was. Repeating the same
plan does what is left; a record that has changed since is skipped and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from memtend.clock import to_ms
from memtend.codec.address import read_address
from memtend.codec.archive import PRUNED
from memtend.codec.compress import Codec, Damaged
from memtend.codec.envelope import check_row, codec_of
from memtend.errors import ArchiveDamaged, ArchiveUnreachable
from memtend.limits import REPORT_NAMES_MAX
from memtend.model.plan import Action
from memtend.prune.plan import PruneDecision, PrunePlan
from memtend.prune.report import PruneReport
from memtend.prune.slices import cut, filled, pages, renumbered
from memtend.slices import Slices
from memtend.store import archived
from memtend.store.pruning import Deed, Doomed, Fold, Gone, prune

if TYPE_CHECKING:
    from memtend.guard import Cleared
    from memtend.model.lease import Lease
    from memtend.model.stored import StoredRow
    from memtend.store.store import Store

_PAGE: Final = 200
STAYED: Final = f"{PRUNED}keeper"
"""The rule of an entry that is a record as it was before it took others over."""


class Safe(Protocol):
    """What a prune needs of an archive."""

    run: int
    lease: Lease
    stored_bytes: int

    @property
    def is_full(self) -> bool:
        """Whether it is time to flush."""

    def add(self, row: StoredRow, text: bytes, rule: str) -> None:
        """Take a record."""

    def flush(self) -> None:
        """Everything that was added is safe when this returns."""


def apply_prune(
    cleared: Cleared, store: Store, safe: Safe, *, digest: str, approved: bool = False
) -> PruneReport:
    """Delete what the plan names. Safe to repeat."""
    plan = cleared.plan
    if not isinstance(plan, PrunePlan):
        raise TypeError("a prune needs a pruning plan")
    work = _Prune(store, safe, plan, digest, approved)
    began = store.clock.monotonic_ns()
    work.run(*_sorted(plan.decisions))
    return work.report((store.clock.monotonic_ns() - began) / 1e9)


def _sorted(
    decisions: Sequence[PruneDecision],
) -> tuple[list[PruneDecision], dict[int, list[PruneDecision]]]:
    """What just goes, alike beside alike; and by the number of what stays, what it takes over."""
    plain, folds = list[PruneDecision](), dict[int, list[PruneDecision]]()
    for one in decisions:
        if one.action is Action.DELETE and one.merge_into:
            folds.setdefault(one.merge_into, []).append(one)
        elif one.action is Action.DELETE:
            plain.append(one)
    return sorted(plain, key=lambda one: (one.kind, one.namespace, one.key)), folds


class _Prune:
    """One prune at work: what lies in the safe and has not gone yet, and what has been done."""

    def __init__(
        self, store: Store, safe: Safe, plan: PrunePlan, digest: str, approved: bool
    ) -> None:
        self._store, self._safe = store, safe
        self._deed = Deed(digest, plan.profile, approved, safe.run, to_ms(plan.made_at), safe.lease)
        self._planned = len(plan.to_delete())
        self._plain: list[Doomed] = []
        self._folds: list[Fold] = []
        self._rows = self._bytes = self._merged = 0
        self._slices = Slices(store.clock)
        self._unreadable: list[str] = []

    def run(self, plain: list[PruneDecision], folds: dict[int, list[PruneDecision]]) -> None:
        for page in pages(plain, _PAGE):
            for row, text, one in self._opened(page):
                self._plain.append(self._keep(row, text, one))
                if self._safe.is_full:
                    self._delete()
        self._delete()
        for keeper, extras in folds.items():
            self._gather(keeper, extras)
            if self._safe.is_full:
                self._delete()
        self._delete()

    def report(self, seconds: float) -> PruneReport:
        return PruneReport(
            operation="prune",
            applied=True,
            planned=self._planned,
            deleted=self._rows,
            changed_since=self._planned - self._rows - len(self._unreadable),
            refused=len(self._unreadable),
            bytes_freed=self._bytes,
            slices=self._slices.count,
            longest_lock_ms=self._slices.longest_ms,
            seconds=seconds,
            plan=self._deed.plan,
            merged=self._merged,
            archive_run=self._deed.run if self._rows else 0,
            archive_bytes=self._safe.stored_bytes,
            unreadable=tuple(self._unreadable[:REPORT_NAMES_MAX]),
        )

    def _opened(
        self, page: Iterable[PruneDecision]
    ) -> Iterator[tuple[StoredRow, bytes, PruneDecision]]:
        """The rows of a page with their values, as far as they are there and whole."""
        decisions = {one.seq: one for one in page}
        rows = archived.rows_of(self._store, list(decisions))
        for seq, one in decisions.items():
            if row := rows.get(seq):
                try:
                    yield row, self._text(row), one
                except (Damaged, ArchiveDamaged, ArchiveUnreachable) as error:
                    self._unreadable.append(f"{row.namespace}/{row.key}: {error}")

    def _text(self, row: StoredRow) -> bytes:
        if codec_of(row.flags) != Codec.ARCHIVED:
            return archived.opened(self._store, row)[1]
        archive = self._store.archive
        if archive is None or not check_row(row):
            raise Damaged("its hash does not match")
        return archive.text(read_address(row.value), f"{row.namespace}/{row.key}")

    def _keep(self, row: StoredRow, text: bytes, one: PruneDecision) -> Doomed:
        self._safe.add(row, text, f"{PRUNED}{one.rule}")
        return Doomed(row.seq, row.namespace, row.key, one.rule)

    def _gather(self, keeper: int, extras: list[PruneDecision]) -> None:
        """Into the safe: the record that stays as it is now, then those that it takes over."""
        found = archived.rows_of(self._store, [keeper])
        if keeper not in found:
            return
        row = found[keeper]
        try:
            self._safe.add(row, self._text(row), STAYED)
        except (Damaged, ArchiveDamaged, ArchiveUnreachable):
            return
        doomed = [self._keep(*one) for page in pages(extras, _PAGE) for one in self._opened(page)]
        if doomed:
            stays = Doomed(keeper, row.namespace, row.key, STAYED)
            self._folds.append(Fold(stays, tuple(doomed)))

    def _delete(self) -> None:
        """Make safe what was gathered, then let it go."""
        self._safe.flush()  # 1
        self._deed = self._deed._replace(lease=self._safe.lease)
        for page in self._slices.of(self._plain):  # 2
            self._slice(page, ())
        numbers: dict[int, int] = {}
        waiting = cut(self._folds)
        while folds := filled(waiting, self._slices.size):
            numbers |= self._slice((), [renumbered(fold, numbers) for fold in folds])
        self._plain, self._folds = [], []

    def _slice(self, doomed: Sequence[Doomed], folds: Sequence[Fold]) -> dict[int, int]:
        store = self._store
        gone: Gone = self._slices.timed(
            store.ballast.deleting, lambda: prune(store, self._deed, doomed, folds)
        )
        self._rows += gone.rows
        self._bytes += gone.bytes
        self._merged += gone.merged
        return gone.renumbered
