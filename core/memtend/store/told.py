"""How far others were told of our events, kept in a small file beside an SQLite store.

A database file that is put back to an older copy in place looks like itself: same device, inode and
birth. Its next writes would bear numbers that others know as other events, and a merge drops them.
This file is not part of such a copy. Where it knows of more events than the store does, the store
was put back (or lost its newest commits in a power cut, under `durability="normal"`), and opening
it begins a new line of history before the first write (CRDT_SPEC 1.1, 1.2).
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from memtend.store.engine import Engine, Row

_SUFFIX: Final = ".told"


def note_told(engine: Engine, replica: str, n: int) -> None:
    """Write down that events up to `n` of `replica`, our own id, are about to be told to others.

    A disk that takes no more files keeps no store from being read: then nothing is noted.
    """
    if engine.path is None or n <= _told(engine.path, replica):
        return
    path = engine.path + _SUFFIX
    draft = f"{path}.{os.getpid()}"
    with suppress(OSError):
        with open(draft, "w", encoding="ascii") as file:
            file.write(f"{replica} {n}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)


def has_told(engine: Engine) -> bool:
    """Whether this store ever told anybody of its events."""
    return engine.path is not None and os.path.exists(engine.path + _SUFFIX)


def was_put_back(engine: Engine, replicas: list[Row], own_no: int, n: int) -> bool:
    """Whether others were told of events of our own id that are not in the store."""
    if engine.path is None:
        return False
    own = next((row[1] for row in replicas if row[0] == own_no), "")
    return _told(engine.path, own) > n


def _told(path: str, replica: str) -> int:
    """The number in the file where it speaks of `replica`; 0 where it does not, or is damaged."""
    try:
        with open(path + _SUFFIX, encoding="ascii") as file:
            whose, number = file.read(64).split()
            return int(number) if whose == replica else 0
    except (OSError, ValueError):
        return 0
