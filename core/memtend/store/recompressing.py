"""Values written again in fewer bytes: which could be, and the writing.

The value, its event, its times and its labels stay, so that nobody elsewhere learns of it; only the
change sequence moves on, as when a value is archived, so that the next increment of a backup has
the row as it is now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.codec.compress import Codec
from memtend.codec.envelope import codec_of, is_sound, path_of, prefix_of, unpack
from memtend.store.drafts import Old
from memtend.store.restating import Restated, Squeezed

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.store import Store

_CODEC_BITS: Final = 15


class Heavy(NamedTuple):
    """A row whose value is compressed, or long enough that it might be. `size` is as stored."""

    seq: int
    namespace: str
    key: str
    kind: str
    codec: int
    size: int


def heavy(store: Store, min_bytes: int) -> Iterator[Heavy]:
    """In the order of writing, by the columns alone."""
    with store.engine.snapshot() as reader:
        paths = {number: path for number, path, _ in reader.fetch("namespaces")}
        for seq, ns, key, kind, flags, size in reader.stream("stream_heavy", (min_bytes,)):
            path = paths.get(ns)
            if path is None or not (isinstance(key, str) and isinstance(kind, str)):
                continue  # damaged
            if isinstance(flags, int) and isinstance(size, int):
                yield Heavy(seq, path, key, kind, codec_of(flags), size)


def pages(
    store: Store, kinds: Sequence[str], min_bytes: int, upto: int, rows: int
) -> Iterator[list[int]]:
    """Numbers of such rows of these kinds up to `upto`. What is written again lies above it."""
    array, after = store.engine.array(list(kinds)), 0
    while page := store.engine.read("heavy_sizes", (min_bytes, after, upto, array, rows)):
        yield [seq for seq, _ in page]
        after = page[-1][0]


def recompress(store: Store, made: Mapping[int, Squeezed], *, lease: Lease) -> Restated:
    """Put smaller forms of the same values into their rows, in one transaction.

    A row that changed since it was read has another number, and is left alone.
    """
    rows = before = after = 0
    by_seq = [("by_seq", (store.engine.array(list(made)),))]
    with store.change("optimize", by_seq, lease) as (change, [found]):
        for row in found:
            seq, ns, key, field, r, n, exp, flags, kind, agent, writer, content, _, *blobs = row
            packed, value, digest = map(bytes, blobs)
            namespace = store.namespaces.path(ns)
            prefix, path = prefix_of(namespace), path_of(key, field)
            sound = is_sound(prefix, path, flags, exp, packed, value, digest)
            if not sound or codec_of(flags) == Codec.ARCHIVED:
                continue  # a new hash would make damage look sound
            size = len(packed) + len(value)  # a damaged column may say anything
            old, new = Old(seq, n, exp, flags, size, packed, key, field, ns, r, digest), made[seq]
            change.drop(old, namespace)
            body = unpack(packed)._replace(dictionary=new.dictionary)
            again = body.pack()
            fresh = (
                ns, key, field, r, n, exp, flags & ~_CODEC_BITS | new.codec, kind, agent, writer,
                content, len(again) + len(new.data), again, new.data,
            )  # fmt: skip
            change.insert(namespace, body, fresh)
            rows, before, after = rows + 1, before + size, after + len(again) + len(new.data)
        if rows:
            change.note("optimize", f"{rows} values written again in fewer bytes")
    return Restated(rows, before, after)
