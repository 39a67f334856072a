"""A target that changes one bit of one object on the way, to see whether that is noticed.

Nothing is written: the object lies in the target as it did.
"""

from __future__ import annotations

from collections.abc import Iterator

from memtend.objects import Capabilities, ObjectInfo, ObjectStore


class Planted:
    """Passes everything on; of the object `victim`, the byte in the middle has one bit wrong."""

    def __init__(self, inner: ObjectStore, victim: str) -> None:
        self._inner = inner
        self._victim = victim
        self.served = 0

    @property
    def url(self) -> str:
        return self._inner.url

    def probe(self) -> Capabilities:
        return self._inner.probe()

    def put_if_absent(self, name: str, data: bytes) -> bool:
        return self._inner.put_if_absent(name, data)

    def get(self, name: str, limit: int = 2**27) -> bytes:
        data = self._inner.get(name, limit)
        if name != self._victim:
            return data
        self.served += 1
        middle = len(data) // 2
        return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]

    def get_range(self, name: str, start: int, length: int) -> bytes:
        return self._inner.get_range(name, start, length)

    def exists(self, name: str) -> bool:
        return self._inner.exists(name)

    def size(self, name: str) -> int:
        return self._inner.size(name)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        return self._inner.list(prefix)

    def delete(self, name: str) -> None:
        self._inner.delete(name)
