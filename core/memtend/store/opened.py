"""Values that can be read, by the numbers of their rows.

For work that passes over what it cannot read: whatever stands in a damaged row's columns, it is
left out, as is what lies in the archive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.codec.compress import Codec, Damaged
from memtend.codec.envelope import Body, codec_of
from memtend.model.stored import StoredRow
from memtend.store.archived import opened

if TYPE_CHECKING:
    from memtend.store.store import Store

_PAGE: Final = 500
Sized = tuple[int, int]
"""A row's number, and its size as its column says."""


class Opened(NamedTuple):
    row: StoredRow
    body: Body
    text: bytes


def readable(store: Store, seqs: Sequence[int]) -> Iterator[Opened]:
    """Read together, in order of number; what has changed since is not there any more."""
    for row in store.engine.read("rows_by_seq", (store.engine.array(list(seqs)),)):
        namespace, key, field, seq, exp, flags, *blobs, content = row
        try:
            body, value, digest = map(bytes, blobs)
            stored = StoredRow(namespace, key, field, seq, exp, flags, body, value, digest, content)
            if codec_of(flags) != Codec.ARCHIVED:
                yield Opened(stored, *opened(store, stored))
        except (Damaged, ValueError, TypeError, AttributeError):
            continue  # `verify` finds it; nothing that it says is believed


def bounded(rows: Iterable[Sized], page_bytes: int) -> Iterator[list[int]]:
    """Numbers of rows that may be read at once."""
    page: list[int] = []
    total = 0
    for seq, size in rows:
        known = size if isinstance(size, int) else 0
        if page and (len(page) >= _PAGE or total + known > page_bytes):
            yield page
            page, total = [], 0
        page.append(seq)
        total += known
    if page:
        yield page
