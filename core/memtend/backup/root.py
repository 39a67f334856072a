"""Two values for the whole content of a store, the same on every engine.

The root hash is SHA-256 over the msgpack lists (namespace, key, field, row hash) of all rows in
stored order, which is by namespace, key, field and dot. The row hash covers the dot and every
other column that matters, but not the local change sequence: a store restored or moved elsewhere
has the same root. Computed in one pass over an index and the hashes, without any value.

The state sum adds the row hashes up, in any order, so a store can keep it with every change; it
tells two states apart as well as their rows' 128-bit hashes do, against accidents, not forgers.
"""

from __future__ import annotations

from hashlib import sha256

import ormsgpack

from memtend.codec.statesum import addend, pack_sum
from memtend.model.stored import StoredRow


class RootHash:
    def __init__(self) -> None:
        self._hash = sha256()
        self.rows = 0

    def add(self, row: StoredRow) -> None:
        self.add_hash(row.namespace, row.key, row.field, row.hash)

    def add_hash(self, namespace: str, key: str, field: str, digest: bytes) -> None:
        self._hash.update(ormsgpack.packb((namespace, key, field, digest)))
        self.rows += 1

    def add_part(self, part: RootPart) -> None:
        """All rows of a part at once; many roots may share it."""
        self._hash.update(part.packed)
        self.rows += part.rows

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


class RootPart:
    """A run of rows as root hashes take them in: packed once, however many roots it is part of."""

    def __init__(self) -> None:
        self.packed = bytearray()
        self.rows = 0

    def add(self, row: StoredRow) -> None:
        self.packed += ormsgpack.packb((row.namespace, row.key, row.field, row.hash))
        self.rows += 1


class StateSum:
    def __init__(self) -> None:
        self._sum = 0

    def add(self, row: StoredRow) -> None:
        self._sum += addend(row.hash)

    def hexdigest(self) -> str:
        return pack_sum(self._sum).hex()
