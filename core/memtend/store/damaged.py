"""Rows that cannot be read: finding them, keeping their bytes elsewhere, taking them away.

Taking one away is an event like a deletion. Where a peer holds the record whole, it would go there
as well, so whoever does this has made sure that there is none, or has restored the record.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from memtend.codec.compress import Codec, Damaged
from memtend.codec.envelope import check_row, codec_of, unpack
from memtend.limits_upkeep import DAMAGED_MAX
from memtend.model.stored import StoredRow
from memtend.store.drafts import Old

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.engine import Row
    from memtend.store.store import Store

KEPT_UNDER: Final = "quarantine/"
"""Where the bytes of rows lie that were taken away, until what they hold is erased."""


class Unreadable(NamedTuple):
    seq: int
    namespace: str
    key: str
    size: int
    why: str


def unreadable(store: Store) -> Iterator[Unreadable]:
    """Every row is read and its value opened; at most so many are told as one plan may have."""
    count = 0
    with store.engine.snapshot() as reader:
        paths = {number: path for number, path, _ in reader.fetch("namespaces")}
        for seq, ns, key, field, exp, flags, size, *blobs in reader.stream("stream_rows"):
            namespace = str(paths.get(ns, ns))
            why = "its namespace is not known" if ns not in paths else None
            if why is None:
                why = _wrong(store, (namespace, key, field, seq, exp, flags, *blobs, 0))
            if why is not None:
                yield Unreadable(seq, namespace, str(key), _number(size), why)
                count += 1
                if count == DAMAGED_MAX:
                    return


def _wrong(store: Store, row: tuple[Any, ...]) -> str | None:
    try:
        namespace, key, field, seq, exp, flags, *blobs, _ = row
        body, value, digest = map(bytes, blobs)
        stored = StoredRow(namespace, key, field, seq, exp, flags, body, value, digest)
        if not check_row(stored):
            return "its hash does not match"
        if codec_of(flags) != Codec.ARCHIVED:
            store.text_of(unpack(body), codec_of(flags), value)
    except (Damaged, ValueError, TypeError, AttributeError) as error:
        return str(error)
    return None


def saved(store: Store, seqs: Sequence[int]) -> bytes:
    """These rows as JSON lines, every column as it stands; bytes in base64."""
    rows = store.engine.read("by_seq", (store.engine.array(list(seqs)),))
    lines = [_line(store, row) for row in rows]
    return b"".join(lines)


def _line(store: Store, row: Row) -> bytes:
    names = ("seq", "ns", "key", "field", "r", "n", "exp", "flags", "kind", "agent", "writer",
             "content", "size", "body", "value", "hash")  # fmt: skip
    said = dict(zip(names, map(_plain, row), strict=True))
    said["namespace"] = store.namespaces.paths.get(row[1])
    return orjson.dumps(said, default=str) + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return {"base64": b64encode(bytes(value)).decode()}
    return value


def take_away(store: Store, seqs: Sequence[int], *, lease: Lease) -> int:
    """Drop those that are there and still cannot be read; how many went."""
    gone = 0
    array = (store.engine.array(list(seqs)),)
    calls = [("old_by_seq", array), ("by_seq", array)]
    with store.change("optimize", calls, lease) as (change, [olds, rows]):
        whole = {row[0] for row in rows if not _is_unreadable(store, row)}
        for old in map(Old._make, olds):
            if old.seq in whole:
                continue
            # Whatever stands in its columns; totals are counted again afterwards.
            known = old._replace(
                size=_number(old.size), flags=_number(old.flags),
                hash=_bytes(old.hash), stub=_bytes(old.stub),
            )  # fmt: skip
            change.drop(known, store.namespaces.paths.get(old.ns, ""))
            change.mint()
            if isinstance(old.key, str) and isinstance(old.field, str):  # else nobody knows it
                dot = (change.meta.replica_no, change.n)
                change.log(old.ns, old.key, old.field, dot, "deleted")
            gone += 1
        if gone:
            change.note("optimize", f"{gone} rows that could not be read are gone")
    return gone


def _is_unreadable(store: Store, row: Row) -> bool:
    seq, ns, key, field, _, _, exp, flags, *_, body, value, digest = row
    namespace = store.namespaces.paths.get(ns)
    if namespace is None:
        return True
    return (
        _wrong(store, (namespace, key, field, seq, exp, flags, body, value, digest, 0)) is not None
    )


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""
