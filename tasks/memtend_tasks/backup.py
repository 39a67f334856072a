"""Backup: take one, and read every byte of it back."""

from __future__ import annotations

from memtend.backup.report import BackupReport, VerifyReport
from memtend.model.findings import StoreVerifyReport
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened, target_address


@memory_task
def take_backup(store: str, target: str, why: str) -> BackupReport:
    """Write a full backup. Until its manifest is in place there is no new backup."""
    with opened(store) as services:
        return services.take_backup(target_address(target).url, why=why)


@memory_task
def verify_backup(store: str, target: str) -> VerifyReport:
    """Read the backups of the target back and check every hash."""
    with opened(store) as services:
        return services.verify_backup(target_address(target).url)


@memory_task
def verify_store(store: str) -> StoreVerifyReport:
    """Read every record of the store and check its hash."""
    with opened(store) as services:
        return services.verify_store()
