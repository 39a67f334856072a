"""One tree of errors: a stable code, a message that states facts, a hint that names the next step.

The code is also the exit status of the command line. Codes are never reused:
1 unexpected · 2 wrong usage · 3 installation · 10 input · 20 store · 30 lease · 40 plan and guard ·
50 objects and backup · 60 import · 70 audit and health · 80 flows and verification.
"""

from __future__ import annotations

from typing import ClassVar


class MemtendError(Exception):
    """Base of everything that memtend raises on purpose.

    `transient` says whether the same call may succeed later without anybody changing anything;
    Prefect tasks retry only those.
    """

    code: ClassVar[int] = 1
    message: ClassVar[str] = "memtend failed"
    hint: ClassVar[str] = "Run again with --verbose and read the log."
    transient: ClassVar[bool] = False

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.message.format(**facts))

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.facts)


def _rebuild(kind: type[MemtendError], facts: dict[str, object]) -> MemtendError:
    return kind(**facts)


class InvalidName(MemtendError):
    """A namespace, key or field is not a path of plain segments."""

    code = 10
    message = "{what} {name!r} is not valid: {why}"
    hint = "Use up to 16 segments of letters, digits and ._:@=+- joined by '/', 512 bytes in all."


class InvalidValue(MemtendError):
    code = 11
    message = "the value of {name!r} cannot be stored: {why}"
    hint = "Store JSON: objects with text keys, lists, text, finite numbers, booleans, null."


class LimitExceeded(MemtendError):
    code = 12
    message = "{what} of {name!r} is {actual:,}; the limit is {limit:,}"
    hint = "Split the value, or store a reference to it."


class InvalidPolicy(MemtendError):
    code = 13
    message = "policy file {source}: {where}: {why}"
    hint = "Correct the line named; `memtend policies check FILE` tests a file without using it."


class QuotaExceeded(MemtendError):
    """The write would push an agent, a session or the store over its quota. Nothing was written."""

    code = 14
    message = "{scope} {name!r} would hold {would:,} bytes; its quota is {limit:,}"
    hint = "Delete or archive records (`memtend stats` shows the largest), or raise the quota."


class ConditionFailed(MemtendError):
    """A compare-and-set found other siblings than expected. Nothing was written."""

    code = 15
    message = "{namespace}/{key} has changed: expected {expected}, found {found}"
    hint = "Read the record again, apply your change to what you read, and try again."


class KindMismatch(MemtendError):
    code = 16
    message = "{namespace}/{key} holds a {found}; {wanted} was asked for"
    hint = "The policy of the namespace fixes the kind: see `memtend explain`."


class NotFound(MemtendError):
    code = 17
    message = "nothing is stored at {namespace}/{key}"
    hint = "`memtend explain` says whether it expired or was deleted, and why."


class AccessDenied(MemtendError):
    code = 18
    message = "{agent!r} may not {action} {namespace!r}"
    hint = "Ask the operator for a grant: `memtend grant AGENT PATTERN read|write|admin`."


class InvalidSettings(MemtendError):
    code = 19
    message = "setting {name}: {why}"
    hint = "Correct the environment variable or the option; `memtend --help` lists them."


class StoreMissing(MemtendError):
    code = 20
    message = "there is no store at {url}"
    hint = "Create it with `memtend init`, or check the path."


class StoreTooNew(MemtendError):
    code = 21
    message = "the store {url} has schema {found}; this program knows up to {known}"
    hint = "Upgrade memtend. An older program never writes to a newer store."


class StoreBusy(MemtendError):
    code = 22
    message = "the store {url} was busy for {waited_s:.0f} s: {why}"
    hint = "Try again; if it stays busy, look for a stuck process."
    transient = True


class StoreFull(MemtendError):
    """The disk is full. Nothing of this write was kept; reads and deletes go on."""

    code = 23
    message = "no space left for the store {url}"
    hint = "Free space, then run `memtend ballast refill`. Deleting records works meanwhile."


class RecordDamaged(MemtendError):
    """The bytes of a record do not match its hash. The value is not returned."""

    code = 24
    message = "{namespace}/{key} is damaged: {why}"
    hint = "Run `memtend verify` to find the extent, then restore the record from a backup."


class StoreDamaged(MemtendError):
    code = 25
    message = "the store {url} is damaged: {why}"
    hint = "Stop writing, run `memtend verify`, and restore from the newest verified backup."


class StoreClosed(MemtendError):
    code = 26
    message = "the store {url} is closed"
    hint = "Open it again."


class PeerClock(MemtendError):
    """A timestamp from elsewhere is too far ahead of this machine's clock. Nothing was merged."""

    code = 27
    message = "a timestamp is {ahead_ms:,} ms ahead of this clock; the limit is {limit_ms:,}"
    hint = "Correct the clock of the sender (or ours: `memtend clock`), then try again."
    transient = True


class StoreOutdated(MemtendError):
    code = 28
    message = "the store {url} has schema {found}; this program needs {known}"
    hint = "Back it up and open it with the release that made it; this one does not write to it."


class StoreUnavailable(MemtendError):
    code = 29
    message = "the store {url} cannot be reached: {why}"
    hint = "Check that the database server runs and that the address is right."
    transient = True


class LeaseHeld(MemtendError):
    code = 30
    message = "{resource!r} is held by {holder!r} for another {left_s:.0f} s"
    hint = "Wait for it to finish, or let the lease run out."
    transient = True


class StaleLease(MemtendError):
    """A newer lease on the same resource exists. Nothing was written."""

    code = 31
    message = "the lease on {resource!r} with token {token} is no longer the newest or has expired"
    hint = "Stop this worker's operation; make a new plan under a new lease."


class ArchiveUnreachable(MemtendError):
    """The value is in the archive, and the archive does not answer. Labels can still be read."""

    code = 32
    message = "the archive {url} cannot be read: {why}"
    hint = "Check the network and the credentials in the environment, then repeat the call."
    transient = True


class ArchiveDamaged(MemtendError):
    """An archived value is not what was archived, so it is not returned."""

    code = 33
    message = "{what} in the archive {url} is damaged: {why}"
    hint = "Run `memtend archive verify` to find the extent, then restore from a backup."


class ArchiveForeign(MemtendError):
    code = 34
    message = "{url} is not the archive of this store: {why}"
    hint = "A store keeps one archive: name the one it has used, or for a new one an empty folder."


class NoArchive(MemtendError):
    code = 35
    message = "the store {url} has no archive"
    hint = "Make one: `memtend archive run --apply`."


class PlanStale(MemtendError):
    code = 40
    message = "the {operation} plan was made at version {planned}; the store is at {current}"
    hint = "Plan again: the rows it named may have changed."


class DeletesTooMuch(MemtendError):
    """The guard refused a plan. Nothing was changed."""

    code = 41
    message = "{operation} would delete {share:.0%} of {total} records; the limit is {limit:.0%}"
    hint = "Read the plan: run without --apply. If it is right, raise safety.delete_share_max."


class ClockAlarmed(MemtendError):
    """The wall clock jumped, so nothing may be called expired. Nothing was changed."""

    code = 42
    message = "{operation} refused: the wall clock is {error_s:,.0f} s away from elapsed time"
    hint = "Correct the machine's clock, then start the process again: it takes the clock it finds."


class PlanAltered(MemtendError):
    code = 43
    message = "the plan {ref} does not match its digest"
    hint = "Somebody changed the file. Plan again."


class PlanMissing(MemtendError):
    code = 44
    message = "there is no plan at {ref}"
    hint = "Plan again, or check the plans folder."


class RotationRefused(MemtendError):
    """What rotation would keep is not known to be whole. Nothing was deleted."""

    code = 45
    message = "rotation of {url} refused: {why}"
    hint = "Run `memtend backup verify`, then take a new backup before old ones go."


class RestoreRefused(MemtendError):
    """The guard refused a restore. Nothing was changed."""

    code = 46
    message = "restore refused: {why}"
    hint = "Read the plan: `memtend restore` without --apply prints it."


class NothingKept(MemtendError):
    code = 47
    message = "no earlier store is kept beside {url}"
    hint = "What a restore replaces is kept for a while; `memtend backup list` shows the backups."


class RestoreWrong(MemtendError):
    """What was built does not match its manifest. The live store was not touched."""

    code = 48
    message = "what was built from {manifest} is wrong: {why}"
    hint = "Run `memtend backup verify`, then restore from another backup with --manifest."


class StoreExists(MemtendError):
    """A restore into a new place found a store there. Nothing was changed."""

    code = 49
    message = "there is a store at {url} already"
    hint = "Leave out --into to restore the open store, or name a place where there is none."


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
    message = "the backups in {url} cannot be opened: {why}"
    hint = "Set MEMTEND_BACKUP_KEY or MEMTEND_BACKUP_KEY_FILE to the key they were made with."


class BackupUnknown(MemtendError):
    code = 59
    message = "{url} has no {what} {name!r}"
    hint = "`memtend backup list` shows the backups and pins that there are."


class SourceUnknown(MemtendError):
    code = 60
    message = "{source} is no kind of agent memory that memtend knows: {why}"
    hint = "Name the kind with --kind, or see docs/howto for the kinds that can be imported."


class AuditBroken(MemtendError):
    code = 70
    message = "the audit chain is broken at entry {entry}: {why}"
    hint = "Keep the file as evidence; compare with the audit head in the newest backup."


class LedgerUnreadable(MemtendError):
    """Without its key the erasure ledger cannot say what must not come back."""

    code = 77
    message = "the key of the erasure ledger is missing"
    hint = "Restore from a backup whose settings are whole; what was erased could come back."


class ErasureIncomplete(MemtendError):
    """Traces of what was erased are still in the files. What was erased stays erased."""

    code = 78
    message = "{count:,} traces are left in {where}: {why}"
    hint = "Close the other programs that read the store, then run the same `memtend erase` again."


class NotWhole(MemtendError):
    """A verification found damage. The report of the run names what and where."""

    code = 83
    message = "{what} has {damage:,} damaged parts"
    hint = (
        "Read the run's report; keep older backups, take a new full one, restore what is damaged."
    )
