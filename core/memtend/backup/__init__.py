"""Backups: verified, content-addressed, in any target."""

from memtend.backup.manifest import BackupKind, Manifest, ManifestName
from memtend.backup.report import BackupReport, Finding, FindingKind, VerifyReport
from memtend.backup.repository import Repository
from memtend.backup.take import Snapshot, take_full
from memtend.backup.verify import verify_repository

__all__ = [
    "BackupKind",
    "BackupReport",
    "Finding",
    "FindingKind",
    "Manifest",
    "ManifestName",
    "Repository",
    "Snapshot",
    "VerifyReport",
    "take_full",
    "verify_repository",
]
