"""What can be wrong with one row of `sibling`, whoever looks at it: a verification, or a sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.codec.compress import Codec, Damaged, decompress
from memtend.codec.envelope import (
    Body,
    codec_of,
    content_of,
    flags_of,
    path_of,
    prefix_of,
    row_hash,
    unpack,
)

if TYPE_CHECKING:
    from memtend.store.engine import Row
    from memtend.store.store import Store

Find = Callable[[str, str], None]
"""Told where something is wrong, and what."""

_COPIES: Final = ("r", "n", "kind", "agent", "writer", "size")


class Judged(NamedTuple):
    """A row that matches its hash. `body` is None where even so it cannot be read."""

    path: str
    digest: bytes
    body: Body | None


class RowCheck:
    """Judges rows by the names of one view of the store."""

    def __init__(self, store: Store, paths: Mapping[int, str], replicas: Mapping[int, str]) -> None:
        self._store = store
        self._paths = paths
        self._numbers = {replica: number for number, replica in replicas.items()}

    def judge(self, row: Row, find: Find) -> Judged | None:
        """None where nothing that the row says can be believed. Raises `ValueError`, `TypeError`
        or `AttributeError` where a column is not of its type."""
        seq, ns, key, field, r, n, exp, flags, kind, agent, writer, content, size, *blobs = row
        packed, value, digest = map(bytes, blobs)
        path = self._paths.get(ns)
        where = f"sibling {seq} {path}/{key}"
        if path is None:
            find(where, f"namespace {ns} is not known")
            return None
        if row_hash(prefix_of(path), path_of(key, field), flags, exp, packed, value) != digest:
            find(where, "its hash does not match")
            return None
        try:
            body = unpack(packed)
        except Damaged as error:
            find(where, str(error))
            return Judged(path, digest, None)
        copies = (r, n, kind, agent, writer, size)
        wanted = (self._numbers.get(body.replica), body.n, body.kind, body.agent, body.writer,
                  len(packed) + len(value))  # fmt: skip
        for name, found, want in zip(_COPIES, copies, wanted, strict=True):
            if found != want:
                find(where, f"column {name} is {found!r}, its body says {want!r}")
        self._check_value(where, body, flags, value, content, find)
        return Judged(path, digest, body)

    def _check_value(
        self, where: str, body: Body, flags: int, value: bytes, content: int, find: Find
    ) -> None:
        if flags != flags_of(codec_of(flags), body.type, quarantined=body.trust == "quarantined"):
            find(where, "its flags do not match its body")
        try:
            dictionary = body.dictionary and self._store.dictionary(body.dictionary)
            if codec_of(flags) == Codec.ARCHIVED:
                return  # `archive verify` reads what lies there
            text = decompress(codec_of(flags), value, body.size, dictionary or None)
        except Damaged as error:
            find(where, str(error))
            return
        if content_of(text) != content:
            find(where, "its content number does not match its value")
