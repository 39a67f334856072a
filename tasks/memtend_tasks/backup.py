"""Backup: take one, say which there are, and read them back."""

from __future__ import annotations

from memtend.backup.report import BackupList, BackupReport, VerifyReport
from memtend.model.findings import StoreVerifyReport
from memtend_tasks.again import origin
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened


@memory_task
def take_backup(store: str, target: str, why: str, full: bool) -> BackupReport:
    """Write what changed, or everything. Until its manifest is in place there is no new backup.

    A run that begins again, because it was cut off, takes none where it had taken one.
    """
    run = origin()
    with opened(store, target) as services:
        if run and run.repeated and (before := services.find_backup(run.mark)):
            return before
        noted = f"{why} {run.mark}".lstrip() if run else why
        return services.take_backup(why=noted, full=full)


@memory_task
def list_backups(store: str, target: str) -> BackupList:
    """The backups in the target, from their manifests."""
    with opened(store, target) as services:
        return services.backups()


@memory_task
def verify_backup(
    store: str,
    target: str,
    deep: bool,
    sample: float | None = None,
    max_seconds: float | None = None,
    resume: bool = False,
) -> VerifyReport:
    """Check the backups in the target: names and sizes, or their contents too."""
    with opened(store, target) as services:
        return services.verify_backup(
            deep=deep, sample=sample, max_seconds=max_seconds, resume=resume
        )


@memory_task
def verify_store(store: str) -> StoreVerifyReport:
    """Read every record of the store and check its hash."""
    with opened(store) as services:
        return services.verify_store()
