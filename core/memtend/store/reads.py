"""Reading records. What is returned was hashed when written and is checked now; no exceptions.

The usual row is one plain, uncompressed, permanent sibling: it is checked and decoded with the
fewest steps. Everything else (siblings, expiry, compression, quarantine) takes the general way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from memtend.codec.compress import Damaged, decompress
from memtend.codec.envelope import (
    COUNTER,
    QUARANTINED_FLAG,
    Body,
    codec_of,
    path_of,
    prefix_of,
    row_hash,
    unpack,
)
from memtend.errors import RecordDamaged
from memtend.store.engine import Row

if TYPE_CHECKING:
    from memtend.store.store import Store

MISSING: Final = object()


class Seen(NamedTuple):
    """One visible sibling: its metadata, the canonical text of its value, its deadline."""

    body: Body
    text: bytes
    exp: int | None

    @property
    def value(self) -> Any:
        return orjson.loads(self.text)


class Reads:
    """Reads of one store. `now` is asked only where a deadline must be judged."""

    def __init__(self, store: Store, now: Callable[[], int]) -> None:
        self._store = store
        self._engine = store.engine
        self._now = now
        self._find = store.namespaces.ids.get
        self._read = store.engine.read
        self._dictionaries: dict[int, Any] = {}

    def value(self, namespace: str, key: str) -> Any:
        """The value that a `lww` reader sees, or `MISSING`."""
        ns = self._find(namespace) or self._store.namespaces.find(namespace)
        if ns is None:
            return MISSING
        rows = self._read("get", (ns[0], key))
        if len(rows) == 1:
            flags, exp, body, data, digest = rows[0]
            if flags == 0 and (exp is None or self._now() < exp):
                if row_hash(ns[1], key.encode(), 0, exp, body, data) != digest:
                    raise RecordDamaged(namespace=namespace, key=key, why="its hash does not match")
                return orjson.loads(data)
        seen = self.siblings(namespace, key, rows)
        return newest(seen).value if seen else MISSING

    def siblings(self, namespace: str, key: str, rows: Iterable[Row], field: str = "") -> list[Seen]:
        """The visible siblings among rows of statement `get`, every one checked."""
        prefix, path = prefix_of(namespace), path_of(key, field)
        now_ms = self._now()
        seen = []
        for flags, exp, body, data, digest in rows:
            if row_hash(prefix, path, flags, exp, bytes(body), bytes(data)) != bytes(digest):
                raise RecordDamaged(namespace=namespace, key=key, why="its hash does not match")
            if (exp is None or now_ms < exp) and not flags & QUARANTINED_FLAG:
                seen.append(self._open(namespace, key, flags, exp, bytes(body), bytes(data)))
        return seen

    def values(
        self, namespace: str, rows: Iterable[Row], ns: tuple[int, bytes]
    ) -> Iterator[tuple[str, Any]]:
        """`(key, value)` of rows `(key, flags, exp, body, value, hash)` sorted or grouped by key."""
        prefix, now_ms, loads = ns[1], self._now(), orjson.loads
        waiting: list[Row] = []
        last = None
        for key, flags, exp, body, data, digest in rows:
            if last is not None and key != last:
                yield from self._settle(namespace, last, waiting, prefix, now_ms, loads)
                waiting = []
            waiting.append((flags, exp, body, data, digest))
            last = key
        if last is not None:
            yield from self._settle(namespace, last, waiting, prefix, now_ms, loads)

    def _settle(
        self,
        namespace: str,
        key: str,
        rows: list[Row],
        prefix: bytes,
        now_ms: int,
        loads: Callable[[bytes], Any],
    ) -> Iterator[tuple[str, Any]]:
        if len(rows) == 1:
            flags, exp, body, data, digest = rows[0]
            if flags == 0 and (exp is None or now_ms < exp):
                if row_hash(prefix, key.encode(), 0, exp, body, data) != digest:
                    raise RecordDamaged(namespace=namespace, key=key, why="its hash does not match")
                yield key, loads(data)
                return
        if seen := self.siblings(namespace, key, rows):
            yield key, newest(seen).value

    def _open(
        self, namespace: str, key: str, flags: int, exp: int | None, packed: bytes, data: bytes
    ) -> Seen:
        try:
            body = unpack(packed)
            dictionary = None if body.dictionary is None else self._dictionary(body.dictionary)
            return Seen(body, decompress(codec_of(flags), data, body.size, dictionary), exp)
        except Damaged as error:
            raise RecordDamaged(namespace=namespace, key=key, why=str(error)) from error

    def _dictionary(self, number: int) -> Any:
        if number not in self._dictionaries:
            import zstandard  # noqa: PLC0415

            rows = self._engine.read("dictionary", (number,))
            if not rows:
                raise Damaged(f"dictionary {number} is missing")
            self._dictionaries[number] = zstandard.ZstdCompressionDict(bytes(rows[0][0]))
        return self._dictionaries[number]


def newest(seen: list[Seen]) -> Seen:
    """The winner by the key of CRDT_SPEC 3.1."""
    if len(seen) == 1:
        return seen[0]
    return max(seen, key=_rank)


def _rank(seen: Seen) -> tuple[int, str, bytes]:
    from hashlib import sha256  # noqa: PLC0415 — only when siblings compete

    return seen.body.ts, seen.body.replica, sha256(seen.text).digest()


def counter_value(seen: list[Seen]) -> int:
    """The sum over the shares of the newest counter epoch (CRDT_SPEC 4.5)."""
    shares: list[Mapping[str, int]] = [s.value for s in seen if s.body.type == COUNTER]
    epoch = max((share["epoch"] for share in shares), default=0)
    return sum(share["p"] - share["n"] for share in shares if share["epoch"] == epoch)
