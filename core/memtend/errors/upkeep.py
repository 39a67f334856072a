"""60, 61, 70, 77, 78, 83: imports, audit, erasure, verification."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class SourceUnknown(MemtendError):
    code = 60
    message = "{source} is no kind of agent memory that memtend knows: {why}"
    hint = "Name the kind with --kind, or see docs/howto for the kinds that can be imported."


class ScratchFull(MemtendError):
    """The import noted what it met in a temporary file. Nothing was written to the store."""

    code = 61
    message = "no room for temporary files: {why}"
    hint = "Free space, or set TMPDIR to a folder with more of it, and import again."


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
