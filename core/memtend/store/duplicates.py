"""Records of one agent and kind that say the same, found in one ordered pass over small columns.

The number in the column `content` only brings together what may be equal: anybody can make two
values with one number. What is told apart by its bytes is never called a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from memtend.alike import groups
from memtend.alike.groups import Told, may_stand_in
from memtend.limits_upkeep import DUPLICATE_BYTES_MIN, DUPLICATE_PAGE_BYTES, NEAR_RECORDS_MAX
from memtend.model.shard import WHOLE, Shard
from memtend.store.opened import Opened, Sized, bounded, readable
from memtend.store.shards import numbers_in

if TYPE_CHECKING:
    from memtend.codec.envelope import Body
    from memtend.model.candidate import Alike
    from memtend.model.stored import StoredRow
    from memtend.store.store import Store

_PAGE: Final = 500
_SAME: Final = itemgetter(0, 1, 2, 3, 4)
_SEQ_SIZE: Final = itemgetter(5, 6)


def exact(
    store: Store, min_bytes: int = DUPLICATE_BYTES_MIN, shard: Shard = WHOLE
) -> Iterator[Alike]:
    """Every record of the shard that says exactly what another one does that stays.

    Only plain records of which one value is shown, with so many bytes of JSON, that lie in the
    store and are sound; of one namespace, kind, agent, writer and trust. No lock is held, and a
    record that changes meanwhile is left out or comes with the number that it had.
    """
    for told in _sets(store, min_bytes, shard):
        yield from groups.exact(told)


def places(store: Store, seqs: Sequence[int]) -> dict[int, tuple[str, str, int]]:
    """Namespace, key and size of rows, as they are now."""
    found: dict[int, tuple[str, str, int]] = {}
    for start in range(0, len(seqs), _PAGE):
        page = store.engine.array(list(seqs[start : start + _PAGE]))
        rows = store.engine.read("places_of", (page,))
        found |= {seq: (path, key, size) for seq, path, key, size in rows}
    return found


def near(store: Store, similarity: float, shard: Shard = WHOLE) -> Iterator[Alike]:
    """Every record that says nearly what another one does that stays; of those that `exact` tells
    of too. Of the whole store no more than a bounded number is looked at, and of a shard those of
    it that are among them. Raises `SimilarPackageMissing`."""
    with store.engine.snapshot() as reader:
        least = DUPLICATE_BYTES_MIN
        left: dict[int, int] = dict(reader.fetch("told_first", (least, NEAR_RECORDS_MAX)))
        if shard.is_whole:
            rows = reader.stream("stream_told", (least,))
        else:
            numbers = sorted(left.keys() & numbers_in(reader, shard).keys())
            rows = reader.stream("stream_told_of", (store.engine.array(numbers), least))
        for (ns, *_), group in groupby(rows, key=itemgetter(0, 1, 2, 3)):
            if ns not in left:
                break
            same = [(seq, size) for *_, seq, size in islice(group, left[ns])]
            left[ns] -= len(same)
            if len(same) > 1:
                yield from _near(store, same, similarity)


def _near(store: Store, same: list[Sized], similarity: float) -> Iterator[Alike]:
    from memtend.alike.near import Worded, near, worded  # noqa: PLC0415 — needs an extra

    by_trust: dict[str, list[Worded]] = {}
    for row, body, text in _each(store, same, DUPLICATE_BYTES_MIN):
        by_trust.setdefault(body.trust, []).append(worded(_as_told(row, body, text), text))
    for group in by_trust.values():
        yield from near(group, similarity)


def _sets(store: Store, min_bytes: int, shard: Shard) -> Iterator[list[Told]]:
    """Sets that may be equal, each opened; `text` is a hash of what is said."""
    page: list[list[Sized]] = []
    rows = 0
    with store.engine.snapshot() as reader:
        if shard.is_whole:
            found = reader.stream("stream_contents", (min_bytes, min_bytes))
        else:
            numbers = store.engine.array(sorted(numbers_in(reader, shard)))
            both = (numbers, min_bytes, numbers, min_bytes)
            found = reader.stream("stream_contents_of", both)
        for _, group in groupby(found, key=_SAME):
            same = list(map(_SEQ_SIZE, group))
            if len(same) > 1:
                page.append(same)
                rows += len(same)
            if rows >= _PAGE:
                yield from _opened(store, page, min_bytes)
                page, rows = [], 0
    yield from _opened(store, page, min_bytes)


def _opened(store: Store, sets: Sequence[list[Sized]], min_bytes: int) -> Iterator[list[Told]]:
    found = _each(store, chain.from_iterable(sets), min_bytes)
    told = {row.seq: _as_told(row, body, text) for row, body, text in found}
    for same in sets:
        if len(some := [told[seq] for seq, _ in same if seq in told]) > 1:
            yield some


def _each(store: Store, rows: Iterable[Sized], min_bytes: int) -> Iterator[Opened]:
    """Those that may be a copy."""
    now_ms = store.clock.now_ms()
    for seqs in bounded(rows, DUPLICATE_PAGE_BYTES):
        found = list(readable(store, seqs))
        beside = _beside(store, [one.row for one in found])
        for one in found:
            namespace, key, exp_ms = one.row.namespace, one.row.key, one.row.exp_ms
            if len(one.text) < min_bytes or (exp_ms is not None and exp_ms <= now_ms):
                continue
            if (namespace, key) not in beside and may_stand_in(namespace, key):
                yield one


def _as_told(row: StoredRow, body: Body, text: bytes) -> Told:
    """With a hash for the text; of another trust it is another statement."""
    said = sha256(b"\0".join((body.trust.encode(), text))).digest()
    return Told(
        row.seq, row.namespace, row.key, body.pinned, row.exp_ms, body.created_ms, said
    )  # fmt: skip


def _beside(store: Store, rows: Iterable[StoredRow]) -> set[tuple[str, str]]:
    """Those of the records that have siblings, of which one says more than is shown."""
    keys: dict[str, list[str]] = {}
    for row in rows:
        keys.setdefault(row.namespace, []).append(row.key)
    found = set()
    for namespace, names in keys.items():
        ns = store.namespaces.find(namespace)
        if ns is not None and ns[0] in store.namespaces.contested:
            here = store.engine.read("beside_in", (ns[0], store.engine.array(names)))
            found |= {(namespace, key) for (key,) in here}
    return found
