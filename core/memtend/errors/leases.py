"""30, 31, 96, 97: leases."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class LeaseHeld(MemtendError):
    """`queue` says how many wait before the caller, where there is a queue."""

    code = 30
    message = "{resource!r} is held by {holder!r} for another {left_s:,.1f} s{queue}"
    hint = "Wait for it to finish, or let it run out; `memtend lease list` shows those of a store."
    transient = True

    def __init__(self, **facts: object) -> None:
        super().__init__(**{"queue": "", **facts})


class StaleLease(MemtendError):
    """The lease ran out, was taken away, or a newer one was granted. Nothing was written."""

    code = 31
    message = "the lease on {resource!r} with token {token} is no longer the newest or has expired"
    hint = "Stop what was done under it; take a new lease, look again, and begin again."


class Deadlock(MemtendError):
    """Everybody in a circle waits for the next. The youngest of them gets this error."""

    code = 96
    message = "waiting for {resource!r} would never end: {circle}"
    hint = "Release what you hold and begin again; take several leases at once with leases.multi."


class LeaseReads(MemtendError):
    """A read lease is shared: two writers under it would not keep out of each other's way."""

    code = 97
    message = "a read lease on {resource!r} does not guard writes"
    hint = "Acquire the lease in mode write or exclusive."
