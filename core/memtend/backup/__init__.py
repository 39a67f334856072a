"""Backups: verified, content-addressed, in any target."""

from memtend.backup.filling import Snapshot
from memtend.backup.manifest import BackupKind, Manifest, ManifestName
from memtend.backup.report import BackupReport, Finding, FindingKind, VerifyReport
from memtend.backup.repository import Repository
from memtend.backup.take import Asked, take, take_full
from memtend.backup.verify import verify_repository

__all__ = [
    "Asked",
    "BackupKind",
    "BackupReport",
    "Finding",
    "FindingKind",
    "Manifest",
    "ManifestName",
    "Repository",
    "Snapshot",
    "VerifyReport",
    "take",
    "take_full",
    "verify_repository",
]
