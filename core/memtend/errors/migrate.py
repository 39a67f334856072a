"""63 to 66: migrations of values."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class MigrationNotRehearsed(MemtendError):
    """Nothing was changed."""

    code = 63
    message = "the migration to {wanted} was not rehearsed as it was planned"
    hint = "Run `memtend migrate apply`, which rehearses first; --without-rehearsal does not."


class MigrationUnknown(MemtendError):
    code = 64
    message = "there is no {what}"
    hint = "`memtend migrate history` lists the runs, `memtend migrate detect` what is stored."


class RehearsalFailed(MemtendError):
    """The live store was not touched."""

    code = 65
    message = "the rehearsal on a copy went wrong: {why}"
    hint = "Keep the store as it is; `memtend verify` says whether it is whole. Report this."


class MigrationWrong(MemtendError):
    """What was written is not what the rehearsal made. The backup from before is whole."""

    code = 66
    message = "run {run} has not made what its rehearsal made: {why}"
    hint = "`memtend migrate rollback` with --restore brings the store from before back."
