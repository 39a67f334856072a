"""SQLite files in a forked child.

SQLite remembers per process which locks it holds on a file. A fork copies that memory but not the
locks, so a child believes it holds what only its parent holds, even on connections that it opens
itself. When the parent then closes the file as the last one it removes the log into which the
child writes, and the child's acknowledged writes are gone with it. So the child takes the two locks
that SQLite thinks it has, before it does anything else, and keeps them to its end.
"""

from __future__ import annotations

import fcntl
import os
from typing import Final

_SHARED_AT, _SHARED_BYTES = 0x4000_0002, 510
"""Where SQLite keeps the lock of an open file, in the database and..."""
_IN_USE_AT, _IN_USE_BYTES = 128, 1
"""...in the memory that processes share."""

_unusable: Final[set[str]] = set()

Identity = tuple[int, int]


def shared_memory(path: str) -> Identity | None:
    """Which `-shm` file processes share now, or None where nobody has the database open."""
    try:
        status = os.stat(f"{path}-shm")
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def inherit(path: str, before: Identity | None) -> None:
    """In the child: hold what SQLite believes it holds. `before` is what was shared at the fork."""
    if before is None:
        return
    try:
        _hold(path, _SHARED_AT, _SHARED_BYTES)
        _hold(f"{path}-shm", _IN_USE_AT, _IN_USE_BYTES)
    except FileNotFoundError:
        _unusable.add(path)
    if shared_memory(path) != before:
        # The parent was faster and has closed it: what SQLite maps here is nobody's any more.
        _unusable.add(path)


def is_usable(path: str | None) -> bool:
    return path not in _unusable


def _hold(path: str, at: int, size: int) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)  # never closed: that would end the lock
    fcntl.lockf(descriptor, fcntl.LOCK_SH, size, at)
