"""Interned names: namespace paths and replica ids as small integers, cached for ever.

Rows of both tables are never deleted or renumbered, so what a process has learnt stays right.
Names that are not found are asked for again each time: another process may have added them.

A namespace that an erasure left empty is closed: its path gives way to a tombstone, a keyed hash.
Who uses the path again opens the same row again, so a cached number is never wrong for a reader;
writers notice the closing by `config` and look the path up again.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from memtend.codec.envelope import prefix_of
from memtend.errors import StoreDamaged
from memtend.model.names import check_name
from memtend.store.absence import Absence
from memtend.store.engine import Engine, Row, Transaction
from memtend.store.meta import crc_of

ERASURE_KEY: Final = "erasure_key"
"""The setting that holds the key of the erasure ledger, and of the tombstones."""
_CLOSED: Final = "erased:"


def tombstone_of(key: bytes, path: str) -> str:
    """What stands in the place of a namespace's path while it is closed."""
    return _CLOSED + blake2b(path.encode(), key=key, digest_size=16).hexdigest()


def is_closed(path: str) -> bool:
    return path.startswith(_CLOSED)


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
        rows = [row for row in self._engine.read("namespaces") if not is_closed(row[1])]
        for number, path, contested in rows:
            self._keep(number, path, contested)
        paths = [path for _, path, _ in rows]
        for closed in self.ids.keys() - paths:
            self.ids.pop(closed, None)
        return paths

    def make(self, tx: Transaction, path: str) -> tuple[int, bytes]:
        """Find or add within a write. Kept only by the caller's `keep`, once committed."""
        rows = tx.fetch("namespace", (path,)) or self._opened(tx, path)
        if not rows:
            rows = tx.fetch("add_namespace", (path,))
        return int(rows[0][0]), prefix_of(path)

    def _opened(self, tx: Transaction, path: str) -> list[Row]:
        """Open a closed namespace again."""
        keys = tx.fetch("setting", (ERASURE_KEY,))
        tombstone = tombstone_of(bytes.fromhex(keys[0][0]), path) if keys else ""
        rows = tx.fetch("namespace", (tombstone,)) if keys else []
        for number, _ in rows:
            tx.run("rename_namespace", (path, number))
            tx.run("drop_tally", ("ns", tombstone))
        return rows

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
