"""Ballast: space set aside, so that a full disk leaves the store readable and deletable.

Deleting needs room in the WAL. When the disk is full, one ballast file is given up at a time; they
are laid down again when there is room.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from memtend.errors import StoreFull
from memtend.limits import BALLAST_BYTES, BALLAST_FILES

T = TypeVar("T")


class Ballast:
    """Files beside a SQLite store; without a path there is nothing to keep."""

    def __init__(self, path: str | None) -> None:
        self._files = [] if path is None else [
            Path(f"{path}.ballast-{n}") for n in range(1, BALLAST_FILES + 1)
        ]  # fmt: skip

    def fill(self) -> int:
        """Lay down what is missing, as far as there is room; returns how many files there are."""
        for file in self._files:
            if not file.exists():
                try:
                    _lay_down(file)
                except OSError:
                    with suppress(OSError):
                        file.unlink()
                    break
        return self.count()

    def release(self) -> bool:
        """Give up one file; False when none is left."""
        for file in reversed(self._files):
            try:
                file.unlink()
            except FileNotFoundError:
                continue
            return True
        return False

    def deleting(self, delete: Callable[[], T]) -> T:
        """Run a deletion (or an opening); while the disk is full, give up a file, try again."""
        while True:
            try:
                return delete()
            except StoreFull:
                if not self.release():
                    raise

    def count(self) -> int:
        return sum(file.exists() for file in self._files)


def _lay_down(file: Path) -> None:
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, BALLAST_BYTES)
    finally:
        os.close(descriptor)
