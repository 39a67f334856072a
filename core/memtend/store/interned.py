"""Interned names: namespace paths and replica ids as small integers, cached for ever.

Rows of both tables are never deleted or renumbered, so what a process has learnt stays right.
Names that are not found are asked for again each time: another process may have added them.
"""

from __future__ import annotations

from memtend.codec.envelope import prefix_of
from memtend.errors import StoreDamaged
from memtend.model.names import check_name
from memtend.store.absence import Absence
from memtend.store.engine import Engine, Row, Transaction
from memtend.store.meta import crc_of


class Namespaces:
    """`ids[path]` is `(id, hash prefix)`; `paths[id]` is the path."""

    def __init__(self, engine: Engine, absence: Absence) -> None:
        self._engine = engine
        self._absence = absence
        self.ids: dict[str, tuple[int, bytes]] = {}
        self.paths: dict[int, str] = {}
        self.contested: set[int] = set()
        """Namespaces where a key may have more than one sibling."""

    def find(self, path: str) -> tuple[int, bytes] | None:
        """The id and hash prefix of a namespace, or None where nothing was ever stored in it."""
        known = self.ids.get(path)
        if known is None:
            check_name(path, "namespace")
            for number, contested in self._engine.read("namespace", (path,)):
                known = self._keep(number, path, contested)
            if known is None:
                self._absence.namespace(path)
        return known

    def path(self, number: int) -> str:
        if number not in self.paths:
            self.load()
        try:
            return self.paths[number]
        except KeyError:
            why = f"a row names namespace {number}, which is not there"
            raise StoreDamaged(url=self._engine.url, why=why) from None

    def load(self) -> list[str]:
        """All paths in byte order."""
        rows = self._engine.read("namespaces")
        for number, path, contested in rows:
            self._keep(number, path, contested)
        return [path for _, path, _ in rows]

    def make(self, tx: Transaction, path: str) -> tuple[int, bytes]:
        """Find or add within a write. Kept only by the caller's `keep`, once committed."""
        rows = tx.fetch("namespace", (path,)) or tx.fetch("add_namespace", (path,))
        return int(rows[0][0]), prefix_of(path)

    def keep(self, made: dict[str, tuple[int, bytes]]) -> None:
        for path, (number, _) in made.items():
            self._keep(number, path)

    def _keep(self, number: int, path: str, contested: int = 0) -> tuple[int, bytes]:
        if contested:
            self.contested.add(number)
        self.paths[number] = path
        known = self.ids[path] = (number, prefix_of(path))
        return known


class Replicas:
    """Ids by number and numbers by id. `seen` and `floor` are read when they are needed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.ids: dict[int, str] = {}

    def id(self, number: int) -> str:
        if number not in self.ids:
            self.ids = {no: replica for no, replica, *_ in self._engine.read("replicas")}
        return self.ids[number]


def replica_row(number: int, replica: str, seen: int, floor: int, created_ms: int) -> Row:
    row = (number, replica, seen, floor, created_ms)
    return (*row, crc_of(row))
