"""What the operating system does for a store: names that survive a power cut, errors with a type.

A file that was synced can still be lost with its name: the folder that holds it is synced too.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from memtend.errors import StoreFull, StoreUnavailable

_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def sync_folder(folder: str | Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folders(folder: Path) -> None:
    """Make a folder and what is missing above it, each of them safe on the disk."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for made in reversed(missing):
        made.mkdir(exist_ok=True)
        sync_folder(made.parent)


@contextmanager
def translated(url: str) -> Iterator[None]:
    """What the operating system refuses, as `StoreFull` or `StoreUnavailable`."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise StoreFull(url=url) from error
        raise StoreUnavailable(url=url, why=error.strerror or str(error)) from error
