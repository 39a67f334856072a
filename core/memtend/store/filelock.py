"""The queue before SQLite's write lock, and the shared fsync after it.

SQLite's own busy handler polls and is unfair: under eight writers the worst put took seconds. A
`flock` taken before `BEGIN IMMEDIATE` is handed on by the kernel. It has no time-out, so a waiter
that does not get it within a few short looks lets a thread do the waiting.

Commits are made durable outside the lock (`GroupSync`): writers that commit while one fsync runs
share the next one, across threads here and across processes in the file system's journal.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable
from types import TracebackType

from memtend.errors import StoreBusy
from memtend.limits import BUSY_WAIT_MS
from memtend.store.durable import translated

_PAUSES_S = (0.00005, 0.0001, 0.0002, 0.0)


class FileLock:
    """An exclusive lock between processes and threads, bounded by `busy_ms`."""

    busy_ms = BUSY_WAIT_MS

    def __init__(self, path: str | None, url: str) -> None:
        self._path = path
        self._url = url
        self._mutex = threading.Lock()
        self._fd = -1

    def __enter__(self) -> None:
        if not self._mutex.acquire(timeout=self.busy_ms / 1_000):
            raise self._busy("another thread is writing")
        if self._path is None:
            return
        try:
            if self._fd < 0:
                with translated(self._url):
                    self._fd = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            # A write holds the lock for a tenth of a millisecond: looking again soon is cheaper
            # than a thread, as long as it is not for long.
            if not any(self._try(pause_s) for pause_s in _PAUSES_S):
                self._wait_in_line(self._fd)
        except BaseException:
            self._mutex.release()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._fd >= 0:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
        self._mutex.release()

    def abandon(self) -> None:
        """In a forked child: let go of the parent's lock, without unlocking it for the parent."""
        self.close()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _try(self, pause_s: float) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause_s)
            return False
        return True

    def _wait_in_line(self, fd: int) -> None:
        arrived = threading.Event()
        failures: list[OSError] = []

        def wait() -> None:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
            except OSError as error:  # the descriptor was given up meanwhile
                failures.append(error)
            arrived.set()

        threading.Thread(target=wait, name="memtend-lock", daemon=True).start()
        if not arrived.wait(self.busy_ms / 1_000):
            # The thread still waits on this descriptor. Closing it gives up the place in line,
            # and should the lock arrive after all, it goes with the descriptor.
            self._fd = -1
            threading.Thread(target=_give_up, args=(arrived, fd), daemon=True).start()
            raise self._busy("another process holds the write lock")
        if failures:
            raise self._busy(str(failures[0]))

    def _busy(self, why: str) -> StoreBusy:
        return StoreBusy(url=self._url, waited_s=self.busy_ms / 1_000, why=why)


def _give_up(arrived: threading.Event, fd: int) -> None:
    arrived.wait()
    os.close(fd)


class GroupSync:
    """One fsync for all commits that happened before it began."""

    def __init__(self, sync: Callable[[], None]) -> None:
        self._sync = sync
        self._lock = threading.Lock()
        self.committed = 0
        self._synced = 0

    def commit(self) -> int:
        """Count a commit. Called while the write lock is held."""
        self.committed += 1
        return self.committed

    def wait(self, ticket: int) -> None:
        """Return once commit number `ticket` is on the disk."""
        with self._lock:
            if self._synced >= ticket:
                return
            reached = self.committed
            self._sync()
            self._synced = reached
