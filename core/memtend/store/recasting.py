"""Rows whose value is written again in another version of its format: reading and replacing them.

A new version is a new event, so that every replica and every backup learns of it; but it says what
its writer said at the time when he said it. Creation, timestamp, deadline, labels and tags stay.
So a write that some other replica made meanwhile is still the newer one, an erasure that this
store has not heard of yet still covers the row, and nothing looks freshly used.

Siblings are rows like any others here: each is replaced by its own new version and by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import ormsgpack
from xxhash import xxh3_128_digest

from memtend.codec.compress import Codec, Damaged
from memtend.codec.envelope import (
    LABELS,
    PLAIN_EDGE,
    Body,
    codec_of,
    edge_of,
    prefix_of,
    type_of,
    unpack,
)
from memtend.codec.statesum import addend
from memtend.crdt.hlc import tick
from memtend.crdt.rows import RowKind
from memtend.errors import StoreDamaged
from memtend.formats import BODY_FORMAT
from memtend.limits import MIGRATION_PAGE_BYTES
from memtend.store import migrations

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.change import Change
    from memtend.store.engine import Row
    from memtend.store.store import Store

ACTOR: Final = "migrate"
_CODEC_BITS: Final = 15
# Places in the packed list, which has the format's number in front of the fields of `Body`.
_FIELDS: Final = {name: place for place, name in enumerate(Body._fields, 1)}
REPLICA, N, SIZE = _FIELDS["replica"], _FIELDS["n"], _FIELDS["size"]
AGENT, SESSION, TAGS = _FIELDS["agent"], _FIELDS["session"], _FIELDS["tags"]
DICTIONARY, EXTRA = _FIELDS["dictionary"], _FIELDS["extra"]
KIND, WRITER = _FIELDS["kind"], _FIELDS["writer"]
CONTENT_COLUMN, SIZE_COLUMN, HASH_COLUMN = 9, 10, 13


class Aged(NamedTuple):
    """A stored row, opened: its columns, the list that its body is, its value as JSON.

    `kind` is what the body says, where that can be read. `text` is None where the value lies in the
    archive, `why` says why a row cannot be read.
    """

    row: Row
    seq: int
    kind: str
    namespace: str
    body: list[Any]
    text: bytes | None
    why: str = ""

    @property
    def content(self) -> Any:
        """The number by which equal values are found, of the value as it is stored."""
        return self.row[CONTENT_COLUMN]

    @property
    def size(self) -> int:
        """As the column says it, which may be damaged."""
        size = self.row[SIZE_COLUMN]
        return size if isinstance(size, int) else 0

    @property
    def extra(self) -> dict[str, Any]:
        packed = self.body[EXTRA]
        return ormsgpack.unpackb(packed) if packed else {}


class Renewed(NamedTuple):
    """What takes an aged row's place: the value as stored under `codec`, its text, its extra."""

    aged: Aged
    text_size: int
    content: int
    data: bytes
    codec: int
    dictionary: int | None
    extra: bytes | None


class Written(NamedTuple):
    """Which rows were replaced, by their old numbers, and by how many bytes the store grew."""

    seqs: Set[int]
    grown_bytes: int


def pages(
    store: Store, kinds: Sequence[str], after: int, upto: int, rows: int
) -> Iterator[list[Aged]]:
    """Plain values of these kinds above `after`, in the order of writing, opened and checked.

    A page has at most so many rows, and is bounded in bytes.
    """
    array = store.engine.array(list(kinds))
    while sizes := store.engine.read("aged_sizes", (after, upto, array, rows)):
        last, total = after, 0
        for seq, size in sizes:
            total += size if isinstance(size, int) else 0
            if total > MIGRATION_PAGE_BYTES and last != after:
                break
            last = seq
        page = store.engine.read("aged", (after, last, array))
        yield [opened(store, row) for row in page if _is_plain(row)]
        after = last


def _is_plain(row: Row) -> bool:
    """Parts of counters, elements of sets and fields of maps have no versions."""
    flags, field = row[5], row[3]
    return not field and (not isinstance(flags, int) or type_of(flags) == RowKind.PLAIN)


def opened(store: Store, row: Row) -> Aged:
    """A row of statement `aged`; with `why` where it is damaged, whatever stands in its columns."""
    seq, ns, key, _, exp, flags, kind, _, _, _, size, packed, value, digest = row
    namespace = ""
    try:
        namespace = store.namespaces.path(ns)
        prefix = store.namespaces.ids[namespace][1]
        edge = PLAIN_EDGE if flags == 0 and exp is None else edge_of(flags, exp)
        if xxh3_128_digest(b"".join((prefix, key.encode(), edge, packed, value))) != digest:
            raise Damaged("its hash does not match")
        body: list[Any] = ormsgpack.unpackb(packed)
        if body[0] != BODY_FORMAT:
            raise Damaged(f"body format {body[0]} is not known")
        if size != len(packed) + len(value):
            raise Damaged("its size is another one than is written beside it")
        text: bytes | None = None
        codec = flags & _CODEC_BITS
        if codec == Codec.RAW and len(value) == body[SIZE]:
            text = bytes(value)
        elif codec != Codec.ARCHIVED:
            text = store.text_of(unpack(bytes(packed)), codec, bytes(value))
        return Aged(row, seq, body[KIND], namespace, body, text)
    except (StoreDamaged, Damaged, ValueError, TypeError, AttributeError, LookupError) as error:
        return Aged(row, seq, kind, namespace, [], None, str(error))


def renew(
    store: Store,
    renewals: Sequence[Renewed],
    *,
    lease: Lease | None,
    note: str,
    recorded: Callable[[Written], migrations.Migration],
) -> Written:
    """Replace rows in one transaction, and write down in it how far the run has come.

    `note` tells the audit trail; `{rows}` in it is their number. A row that was replaced or dropped
    meanwhile is left alone. No quota refuses: what is stored is no new data, and half a migration
    would help nobody.
    """
    with store.change(ACTOR, (), lease) as (change, _):
        seqs = store.engine.array([one.aged.seq for one in renewals])
        there: dict[int, bytes] = dict(change.tx.fetch("take_aged", (seqs,)))
        writing = _Writing(store, change)
        for one in renewals:
            digest = there.get(one.aged.seq)
            if digest is None:
                continue
            if digest != one.aged.row[HASH_COLUMN]:
                why = f"row {one.aged.seq} has changed without a new number"
                raise StoreDamaged(url=store.url, why=why)
            writing.add(one)
        writing.flush()
        written = Written(there.keys(), writing.grown)
        migrations.save(change.tx, recorded(written))
        if there:
            change.note(ACTOR, note.format(rows=len(there)))
    return written


class _Writing:
    """The rows of one transaction, and what they change in the totals."""

    def __init__(self, store: Store, change: Change) -> None:
        self._change = change
        self._prefixes = {path: known[1] for path, known in store.namespaces.ids.items()}
        self._replica = bytes.fromhex(store.replica_of(change.tx, change.meta))
        self._inserts: list[Row] = []
        self._tags: list[Row] = []
        self._untags: list[Row] = []
        self._shares: dict[tuple[str, str | None, str | None], int] = {}
        self._warm = [0, 0]
        self.grown = 0
        change.hlc = tick(change.hlc, change.now_ms)

    def add(self, one: Renewed) -> None:
        change, aged = self._change, one.aged
        old_seq, ns, key, field, exp, flags, _, _, _, _, had, _, _, digest = aged.row
        change.n = n = change.n + 1
        change.seq = seq = change.seq + 1
        body = aged.body.copy()
        body[REPLICA], body[N], body[SIZE] = self._replica, n, one.text_size
        body[DICTIONARY], body[EXTRA] = one.dictionary, one.extra
        packed = ormsgpack.packb(body)
        new_flags = flags & ~_CODEC_BITS | one.codec
        edge = PLAIN_EDGE if new_flags == 0 and exp is None else edge_of(new_flags, exp)
        prefix = self._prefixes[aged.namespace]
        fresh = xxh3_128_digest(b"".join((prefix, key.encode(), edge, packed, one.data)))
        size = len(packed) + len(one.data)
        change.sum += addend(fresh) - addend(bytes(digest))
        self._inserts.append(
            (seq, ns, key, field, change.meta.replica_no, n, exp, new_flags, body[KIND],
             body[AGENT], body[WRITER], one.content, size, packed, one.data, fresh)
        )  # fmt: skip
        if tags := body[TAGS]:
            self._untags += [(tag, old_seq) for tag in tags]
            self._tags += [(tag, seq) for tag in tags]
        share = (aged.namespace, body[AGENT], body[SESSION])
        self._shares[share] = self._shares.get(share, 0) + size - had
        self.grown += size - had
        if codec_of(flags) or one.codec:
            self._warm[0] += (one.codec != 0) - (codec_of(flags) != 0)
            self._warm[1] += (size if one.codec else 0) - (had if codec_of(flags) else 0)

    def flush(self) -> None:
        change = self._change
        for share, grown in self._shares.items():
            change.grow(*share, grown)
        if any(self._warm):
            change.grow_warm(*self._warm)
        for statement, rows in (
            ("untag", self._untags), ("insert", self._inserts), ("tag", self._tags),
        ):  # fmt: skip
            if rows:
                change.tx.run_many(statement, rows)


def kept_of(aged: Aged) -> tuple[Any, ...]:
    """What a new version of a row keeps: everything but its value and the event it comes from."""
    body = aged.body
    timed = (body[_FIELDS["ts"]], body[_FIELDS["created_ms"]], body[_FIELDS["ttl_ms"]])
    labels = tuple(body[1 + LABELS.start : 1 + LABELS.stop])
    flags = aged.row[5] & ~_CODEC_BITS
    return (prefix_of(aged.namespace), *aged.row[2:5], flags, *timed, *labels)
