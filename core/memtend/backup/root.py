"""The root hash: one value for the whole content of a store, the same on every engine.

SHA-256 over the msgpack lists (namespace, key, field, row hash) of all rows in stored order, which
is by namespace, key, field and dot. The row hash covers the dot and every other column that
matters, but not the local change sequence: a store restored or moved elsewhere has the same root.
Computed in one pass over an index and the hashes, without any value.
"""

from __future__ import annotations

from hashlib import sha256

import ormsgpack

from memtend.model.stored import StoredRow


class RootHash:
    def __init__(self) -> None:
        self._hash = sha256()
        self.rows = 0

    def add(self, row: StoredRow) -> None:
        self._hash.update(ormsgpack.packb((row.namespace, row.key, row.field, row.hash)))
        self.rows += 1

    def hexdigest(self) -> str:
        return self._hash.hexdigest()
