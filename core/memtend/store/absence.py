"""Saying "there is nothing" only when it is so.

A value that is read is checked by its hash; a key that is not found has nothing to check. Yet one
flipped bit in an index page can hide a row from a seek. A search for a hidden key ends beside the
damaged entry, whichever way the damage compares: the entry before or the entry after the place
where the key should be is the damaged one, or the damaged key of an inner page that led astray.
So both neighbours are held against the rows that they point to. Only a miss pays for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.errors import StoreDamaged

if TYPE_CHECKING:
    from memtend.store.engine import Engine, Row

_TRIES = 3
_BEHIND = "\0"
"""Behind a key, gives the first text above it."""
_WHY = "an index entry does not match its row, so a record may be hidden"


class Absence:
    """For engines whose pages carry no checksum of their own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._needed = not engine.checks_pages

    def record(self, ns: int, key: str, *, found: bool = False) -> None:
        """Raise `StoreDamaged` if the index around a missing key is damaged.

        `found`: something is there, and the question is whether it is all.
        """
        if self._needed:
            self._check("path_below", (ns, key), "path_row")
            self._check("path_above", (ns, key), "path_row")
            if found:
                self._check("path_above", (ns, key + _BEHIND), "path_row")

    def namespace(self, path: str) -> None:
        """The same around a missing namespace."""
        if self._needed:
            for side in ("namespace_below", "namespace_above"):
                self._check(side, (path,), "namespace_row")

    def _check(self, side: str, place: tuple[object, ...], row: str) -> None:
        for _ in range(_TRIES):
            entry = self._one(side, place)
            if entry is None:
                return
            found = self._one(row, entry[-1:])
            if found is not None and tuple(found) == tuple(entry[:-1]):
                return
            # A writer may have come between the two reads; damage stays.
        raise StoreDamaged(url=self._engine.url, why=_WHY)

    def _one(self, statement: str, params: tuple[object, ...]) -> Row | None:
        rows = self._engine.read(statement, params)
        return rows[0] if rows else None
