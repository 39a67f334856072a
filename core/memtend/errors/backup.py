"""50 to 59: targets, repositories and backups."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class TargetUnavailable(MemtendError):
    code = 50
    message = "the target {url} did not answer: {why}"
    hint = "Check the address and the network; the operation can be repeated."
    transient = True


class TargetDenied(MemtendError):
    code = 51
    message = "the target {url} refused access: {why}"
    hint = "Check the credentials in the environment or the block, and the bucket's policy."


class RepositoryForeign(MemtendError):
    code = 52
    message = "{url} is not a backup repository of this format: {why}"
    hint = "Name an empty folder or an existing memtend repository."


class ObjectDamaged(MemtendError):
    code = 53
    message = "object {name} in {url} is damaged: {why}"
    hint = "Run `memtend backup verify`; take a new full backup at once."


class ManifestDamaged(MemtendError):
    code = 54
    message = "manifest {name} in {url} is damaged: {why}"
    hint = "Run `memtend backup verify`; older manifests may still be whole."


class NoBackup(MemtendError):
    code = 55
    message = "{url} holds no backup"
    hint = "Take one: `memtend backup take`."


class ObjectMissing(MemtendError):
    code = 56
    message = "object {name} is not in {url}"
    hint = "Run `memtend backup verify`; take a new full backup at once."


class TargetFull(MemtendError):
    """The target has no space left. Older backups are untouched."""

    code = 57
    message = "no space left at the target {url}"
    hint = "Free space or name another target; what was written so far is reused."


class BackupKeyRefused(MemtendError):
    """The backups are encrypted, and the key is missing or another one. Nothing was read."""

    code = 58
    message = "the objects in {url} cannot be opened: {why}"
    hint = "Set MEMTEND_BACKUP_KEY or MEMTEND_BACKUP_KEY_FILE to the key they were made with."


class BackupUnknown(MemtendError):
    code = 59
    message = "{url} has no {what} {name!r}"
    hint = "`memtend backup list` shows the backups and pins that there are."
