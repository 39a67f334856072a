"""Space set aside in a target, so that rotation can free some when there is none left.

    reserve/ballast                   bytes that nobody needs

Rotation has to write before it deletes: its claim, and the record of what goes. On a full target it
gives the reserve up for that, and lays it down again at its end.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import shake_256
from typing import Final

from memtend.errors import TargetFull
from memtend.limits import RESERVE_BYTES
from memtend.objects import ObjectStore

NAME: Final = "reserve/ballast"


def lay_down(store: ObjectStore) -> None:
    """Set it aside, if there is space for it. Not of zeros, which some file systems do not keep."""
    if not store.exists(NAME):
        with suppress(TargetFull):
            store.put_if_absent(NAME, shake_256(b"memtend reserve").digest(RESERVE_BYTES))


def give_up(store: ObjectStore) -> bool:
    """Free it. Whether there was any."""
    found = store.exists(NAME)
    store.delete(NAME)
    return found
