"""20 to 29: the store itself."""

from __future__ import annotations

from memtend.errors.base import MemtendError


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
    message = "the store {url} has schema {found}; this program needs {known}: {pending}"
    hint = "Bring it forward with `memtend migrate apply`; until then nothing is written to it."


class StoreUnavailable(MemtendError):
    code = 29
    message = "the store {url} cannot be reached: {why}"
    hint = "Check that the database server runs and that the address is right."
    transient = True
