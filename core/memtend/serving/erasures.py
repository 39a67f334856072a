"""Erasing a record or a subject for good, and proving that nothing of it is left."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from memtend.clock import to_datetime
from memtend.errors import NoArchive
from memtend.guard import clear
from memtend.serving.archives import Archives
from memtend.serving.model_erasing import forget_models, models_about
from memtend.serving.modelfiles import ModelShelf
from memtend.store import catalog
from memtend.store.pruned_erasing import forget_paths

if TYPE_CHECKING:
    from memtend.codec.archive import Entry
    from memtend.erase.plan import ErasePlan
    from memtend.erase.report import EraseReport
    from memtend.model.lease import Lease
    from memtend.model.subject import Subject


class Erasures(ModelShelf, Archives):
    """What is erased is gone from the store, and neither a restore nor an import brings it back."""

    def plan_erase(self, subject: Subject) -> ErasePlan:
        """How much there is of a subject. The plan holds no names but the subject's own, and is
        never saved."""
        from memtend.erase.plan import plan_erase  # noqa: PLC0415
        from memtend.store.messages_erasing import messages_of  # noqa: PLC0415
        from memtend.store.owned import holding, seqs_of  # noqa: PLC0415
        from memtend.store.snapshots import pre_stores  # noqa: PLC0415
        from memtend.store.swapping import kept_stores  # noqa: PLC0415

        self.memory.flush()  # reads that were counted but not written would leave a name behind
        found = holding(self.store, seqs_of(self.store, subject))
        return plan_erase(
            subject,
            self.facts(),
            rows=found.rows,
            size_bytes=found.bytes,
            elements=found.elements,
            expired=found.expired,
            quarantined=found.quarantined,
            archived=found.archived,
            copies=len(kept_stores(self.store.engine)) + len(pre_stores(self.store.engine)),
            messages=len(messages_of(self.store, subject)),
            models=len(models_about(self.store, self._model_files(), subject)),
        )

    def apply_erase(self, plan: ErasePlan, *, full: bool = False) -> EraseReport:
        """Erase whatever the subject has by now; raises `PlanForeign`, `PlanStale`,
        `ClockAlarmed`, `LeaseHeld`.

        The report's `residue` counts the traces that are left, nought where all went well.
        """
        from memtend.erase.apply import apply_erase  # noqa: PLC0415
        from memtend.objects import open_target  # noqa: PLC0415

        self.memory.flush()
        with suppress(NoArchive):
            self._vault()  # a wrong key stops the erasure before anything has gone, not halfway
        with self._maintaining("erase") as lease:
            cleared = clear(plan, lease=lease, facts=self.facts(), safety=self._safety())
            gone = forget_models(self.store, self._model_files(), plan.subject, lease)
            report = apply_erase(
                cleared,
                self.store,
                plans=open_target(self.settings.plans_url, self.clock),
                archive=_Archive(self, lease),
                full=full,
                backups_until=self._backups_until(),
            )
        self.memory.config.refresh(self.store.meta().config)
        return report.model_copy(update={"models": len(gone)})

    def _backups_until(self) -> datetime | None:
        """When rotation lets go of the newest backup that may still hold what is erased now.

        None where no backup is known, and where the policy keeps backups whatever their age.
        """
        newest = catalog.newest_at(self.store)
        retention = self.memory.config.file.retention
        if newest is None or retention.max_age_ms is None:
            return None
        return to_datetime(newest + max(retention.max_age_ms, retention.within_ms))


class _Archive:
    """The archive as an erasure sees it."""

    def __init__(self, archives: Archives, lease: Lease) -> None:
        self._archives = archives
        self._lease = lease

    def names(self, erased: Callable[[str, str, bytes], bool]) -> set[tuple[str, str]]:
        met: set[tuple[str, str]] = set()
        staying: set[tuple[str, str]] = set()
        doomed = _doomed(erased)

        def noted(entry: Entry) -> bool:
            gone = doomed(entry)
            if entry.is_pruned:
                (met if gone else staying).add((entry.namespace, entry.key))
            return gone

        if self._archives.store.engine.read("ghost_any"):
            self._archives.archive_residue(noted)
        return met - staying

    def purge(self, erased: Callable[[str, str, bytes], bool]) -> int:
        # Ghosts first: what the archive has let go of tells nobody whose they were.
        forget_paths(self._archives.store, self.names(erased), self._lease)
        return self._archives.erase_archived(_doomed(erased), self._lease)

    def residue(self, erased: Callable[[str, str, bytes], bool]) -> int:
        return self._archives.archive_residue(_doomed(erased))


def _doomed(erased: Callable[[str, str, bytes], bool]) -> Callable[[Entry], bool]:
    return lambda entry: erased(entry.namespace, entry.key, entry.body)
