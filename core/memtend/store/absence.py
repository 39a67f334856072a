"""Saying "there is nothing" only when it is so.

A value that is read is checked by its hash; a key that is not found has nothing to check. Yet one
flipped bit in an index page can hide a row from a seek. A search for a hidden key ends beside the
damaged entry, whichever way the damage compares: the entry before or the entry after the place
where the key should be is the damaged one, or the damaged key of an inner page that led astray.
So both neighbours are held against the rows that they point to. A miss pays for it, and a scan at
the beginning and the end of its range; a point read that finds its record does not.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

from memtend.errors import StoreDamaged
from memtend.store.sqlite import SqliteEngine

if TYPE_CHECKING:
    from memtend.store.engine import Engine, Row

_BEHIND = "\0"
"""Behind a key, gives the first text above it."""
_WHY = "an index entry does not match its row, so a record may be hidden"


class Absence:
    """Looks only on SQLite: a PostgreSQL server has its own checksums of pages."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine if isinstance(engine, SqliteEngine) else None

    def record(self, ns: int, key: str, *, found: bool = False) -> None:
        """Raise `StoreDamaged` if the index around a missing key is damaged.

        `found`: something is there, and the question is whether it is all.
        """
        self._check("path", (ns, key))
        if found:
            self._check("path", (ns, key + _BEHIND))

    def begin(self, ns: int, after: str) -> None:
        """Raise `StoreDamaged` if the index around the beginning of a scan is damaged."""
        self._check("path", (ns, after + _BEHIND))

    def end(self, ns: int, last: str, stop: str | None = None) -> None:
        """Raise `StoreDamaged` if a scan ends after `last` although there is more before `stop`."""
        self.record(ns, last + _BEHIND)
        if self._engine is not None:
            with self._engine.consistent():
                more = self._one("scan", (ns, last, 1))
                beyond = self._one("path_next_plain", (ns, last + _BEHIND, ns))
            if more is None and beyond is not None and (stop is None or beyond[1] < stop):
                raise StoreDamaged(url=self._engine.url, why=_WHY)

    def fields(self, ns: int, key: str) -> None:
        """Raise `StoreDamaged` if the fields of a key are not read to their end."""
        self.record(ns, key, found=True)
        if self._engine is not None:
            with self._engine.consistent():
                read = self._engine.read("get_fields", (ns, key))
                entry = self._one("path_below", (ns, key + _BEHIND))
            last = entry[2] if entry is not None and tuple(entry[:2]) == (ns, key) else None
            if last != (read[-1][0] if read else None):
                raise StoreDamaged(url=self._engine.url, why=_WHY)

    def namespace(self, path: str) -> None:
        """The same around a missing namespace."""
        self._check("namespace", (path,))

    def _check(self, table: str, place: tuple[Any, ...]) -> None:
        engine = self._engine
        if engine is None:
            return
        with engine.consistent():
            below = self._one(f"{table}_below", place)
            above = self._one(f"{table}_above", place)
            entries = [entry for entry in (below, above) if entry is not None]
            if (
                all(map(self._is_true, entries, repeat(table)))
                and self._are_neighbours(table, below, above, place)
                and (table != "path" or self._are_nearest(place, below, above))
            ):
                return
        raise StoreDamaged(url=engine.url, why=_WHY)

    def _is_true(self, entry: Row, table: str) -> bool:
        found = self._one(f"{table}_row", entry[-1:])
        return found is not None and tuple(found) == tuple(entry[:-1])

    def _are_neighbours(
        self, table: str, below: Row | None, above: Row | None, place: tuple[Any, ...]
    ) -> bool:
        """Nothing lies between them: a name damaged into NULL is in no range, but in the way."""
        if above is None:
            outermost = self._one(f"{table}_last", ())
            return outermost is None or (outermost[0] is not None and outermost < place)
        return self._one(f"{table}_before", above[:-1]) == below

    def _are_nearest(self, place: tuple[Any, ...], below: Row | None, above: Row | None) -> bool:
        """The same neighbours asked for in a way that stops at a NULL, where the other skips it."""
        for side, entry in (("below", below), ("above", above)):
            within = entry if entry is not None and entry[0] == place[0] else None
            if self._one(f"path_within_{side}", place) != within:
                return False
        return True

    def _one(self, statement: str, params: tuple[Any, ...]) -> Row | None:
        rows = self._engine.read(statement, params) if self._engine else []
        return rows[0] if rows else None
