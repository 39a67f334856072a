"""102, 103: the memory of a swarm's agents."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class SnapshotUnknown(MemtendError):
    code = 102
    message = "swarm {swarm!r} has no snapshot {name!r}"
    hint = "`memtend swarm show` lists the snapshots; each lives for 30 days."


class SnapshotRefused(MemtendError):
    """Nothing was stored."""

    code = 103
    message = "the snapshot {name!r} was not taken: {why}"
    hint = (
        "Choose another name, or a smaller scope; `memtend backup take` keeps a store of any size."
    )
