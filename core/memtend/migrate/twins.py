"""Which names an import has met, and the pins of what it would write, in memory that does not grow.

    with Twins() as twins:
        twins.enter([(name_of("n", "k"), pin, True)])     # [None], or the pin that has the name
        twins.pins()                                      # sorted, eight bytes each

Both are in a temporary database of SQLite's, which spills to a file without a name: whatever
happens to the process, nothing is left behind.
"""

from __future__ import annotations

import sqlite3
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from io import BytesIO
from types import TracebackType
from typing import Final, NamedTuple, Self

from memtend.codec.envelope import content_of
from memtend.errors import ScratchFull
from memtend.limits_foreign import IMPORT_TWINS_CACHE_KIB

_PINS_READ: Final = 10_000
_PIN: Final = "q"


class Entry(NamedTuple):
    """`name` stands for a path, `pin` for one version of one item that would be written or not."""

    name: int
    pin: int
    writes: bool


def name_of(namespace: str, key: str, field: str = "") -> int:
    """64 bits of the hash of a path: among a million names, one in 10^7 imports meets a double,
    which is refused as a twin. `a/b` in `n` and `b` in `n/a` are two names."""
    return content_of(f"{namespace}\0{key}\0{field}".encode())


class Twins:
    """The first item that enters under a name has it."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute(f"PRAGMA cache_size=-{IMPORT_TWINS_CACHE_KIB}")
        self._database.execute(
            "CREATE TABLE seen (name INTEGER PRIMARY KEY, pin INTEGER, at INTEGER, writes INTEGER)"
        )
        self._at = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def enter(self, entries: Sequence[Entry]) -> list[int | None]:
        """For each the pin of the item that has had the name before it, or None."""
        start, self._at = self._at, self._at + len(entries)
        rows = [(*entry[:2], at, entry.writes) for at, entry in enumerate(entries, start)]
        before = self._database.total_changes
        with _noted():
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR IGNORE INTO seen VALUES (?,?,?,?)", rows)
            self._database.execute("COMMIT")
        if self._database.total_changes - before == len(entries):
            return [None] * len(entries)
        return [self._first(name, at) for name, _, at, _ in rows]

    def _first(self, name: int, at: int) -> int | None:
        [(pin, first)] = self._database.execute("SELECT pin, at FROM seen WHERE name = ?", (name,))
        return None if first == at else int(pin)

    def pins(self) -> bytes:
        """Of all that would be written, sorted; little-endian."""
        found = BytesIO()
        with _noted(), closing(self._database.cursor()) as cursor:
            cursor.execute("SELECT pin FROM seen WHERE writes ORDER BY pin")
            while rows := cursor.fetchmany(_PINS_READ):
                found.write(_swapped(array(_PIN, [pin for (pin,) in rows])).tobytes())
        return found.getvalue()


@contextmanager
def _noted() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise ScratchFull(why=str(error)) from error


class Pins:
    """The pins of a plan; each is taken once."""

    def __init__(self, packed: bytes) -> None:
        pins = memoryview(packed).cast(_PIN)
        self._pins = pins if sys.byteorder == "little" else _swapped(array(_PIN, pins))
        self._taken = bytearray(len(pins))
        self.met = 0

    def __len__(self) -> int:
        return len(self._pins)

    def take(self, pin: int) -> bool:
        """Whether it is among them and nobody has taken it yet."""
        at = bisect_left(self._pins, pin)
        if at == len(self._pins) or self._pins[at] != pin or self._taken[at]:
            return False
        self._taken[at] = 1
        self.met += 1
        return True


def _swapped(pins: array[int]) -> array[int]:
    if sys.byteorder == "big":
        pins.byteswap()
    return pins
