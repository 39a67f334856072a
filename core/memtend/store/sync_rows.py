"""One sibling as it is here, and as it comes in a delta."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from memtend.codec.compress import Codec, Damaged, compress
from memtend.codec.delta import mark_of, plain_body
from memtend.codec.envelope import (
    QUARANTINED,
    Body,
    codec_of,
    content_of,
    flags_of,
    is_sound,
    path_of,
    prefix_of,
    unpack,
)
from memtend.errors import DeltaRefused, RecordDamaged, ReplicaCloned
from memtend.limits import COMPRESS_THRESHOLD_BYTES, ZSTD_LEVEL
from memtend.model.delta import Carried, Named, Told
from memtend.store.change import Old

if TYPE_CHECKING:
    from memtend.model.dot import Dot
    from memtend.store.engine import Row, Transaction

# The bodies of these may name a dictionary of this store.
_OWN_BODIES: Final = (Codec.ZSTD_DICT, Codec.ARCHIVED)


class Here(NamedTuple):
    """A stored sibling, and the number by which equal values are found."""

    old: Old
    content: int

    @classmethod
    def of(cls, row: Row) -> Here:
        """From a row of one of the statements `here_…`."""
        return cls(Old._make(row[:12]), row[12])


class Fresh(NamedTuple):
    """A sibling that arrives with its value."""

    body: Body
    told: Carried


def arrived(told: Told) -> tuple[Dot, Fresh | Named]:
    if isinstance(told, Named):
        return told.dot, told
    body = unpack(told.body)
    return body.dot, Fresh(body, told)


def check_same(
    tx: Transaction,
    array: Callable[[Sequence[int]], Any],
    sender: str,
    path: tuple[str, str, str],
    here: Here,
    there: Fresh | Named,
) -> None:
    """One event is one value. Raises `ReplicaCloned`, or `RecordDamaged` where ours is damaged."""
    if isinstance(there, Named):
        dot, wanted = there.dot, there.mark
    else:
        told = there.told
        dot, wanted = there.body.dot, mark_of(told.exp_ms, told.body, content_of(told.text))
    if _mark(here) == wanted:
        return
    namespace, key, field = path
    for row in tx.fetch("by_seq", (array([here.old.seq]),)):
        _, _, _, _, _, _, exp, flags, *_, packed, value, digest = row
        if not is_sound(
            prefix_of(namespace), path_of(key, field), flags, exp, packed, value, digest
        ):
            raise RecordDamaged(namespace=namespace, key=key, why="its hash does not match")
    raise ReplicaCloned(
        replica=dot.replica, n=dot.n, path="/".join(filter(None, path)), sender=sender
    )


def _mark(here: Here) -> int | None:
    packed = bytes(here.old.body)
    if codec_of(here.old.flags) in _OWN_BODIES:
        try:
            packed = plain_body(unpack(packed), packed)
        except Damaged:
            return None
    return mark_of(here.old.exp, packed, here.content)


def columns_of(ns: int, key: str, field: str, replica: int, fresh: Fresh) -> Row:
    """The columns of a new row but `seq` and `hash`. Compressed as where no policy says more."""
    body, (packed, exp, text) = fresh
    data, codec = text, Codec.RAW
    if len(text) >= COMPRESS_THRESHOLD_BYTES:
        squeezed = compress(text, ZSTD_LEVEL)
        if len(squeezed) < len(text):
            data, codec = squeezed, Codec.ZSTD
    flags = flags_of(codec, body.type, quarantined=body.trust == QUARANTINED)
    size = len(packed) + len(data)
    return (
        ns, key, field, replica, body.n, exp, flags, body.kind, body.agent, body.writer,
        content_of(text), size, packed, data,
    )  # fmt: skip


def valued(there: Here | Fresh | Named) -> Fresh:
    """What is new here comes with its value: the gap check and the page's own rules ensure it."""
    if not isinstance(there, Fresh):
        raise DeltaRefused(why="a value is missing")
    return there
