"""What the archive reads of a store: what could be archived, which rows are stubs, their values.

A stub is a row like any other with an address in the place of its value. Everything here reads;
`swapping` writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, Protocol

import orjson

from memtend.clock import to_datetime
from memtend.codec.address import Address, read_address
from memtend.codec.compress import Codec, Damaged
from memtend.codec.envelope import QUARANTINED_FLAG, Body, check_row, codec_of, type_of, unpack
from memtend.crdt.hlc import millis
from memtend.crdt.rows import RowKind
from memtend.errors import NoArchive
from memtend.model.shard import WHOLE, Shard
from memtend.model.stored import StoredRow
from memtend.model.usage import Usage
from memtend.store.change import Old
from memtend.store.meta import crc_of
from memtend.store.shards import numbers_in

if TYPE_CHECKING:
    from memtend.store.engine import Row
    from memtend.store.store import Store

SETTING = "archive"
_PAGE = 500


class ArchivedTexts(Protocol):
    """The archive as reads see it."""

    def text(self, address: Address, what: str) -> bytes:
        """The canonical JSON at an address, checked; `what` names the record in an error."""


class Home(NamedTuple):
    """Where the archive of a store is, without credentials, and which one it is."""

    url: str
    archive_id: str


class Stub(NamedTuple):
    """An archived record. `address` is None where the row is damaged."""

    seq: int
    namespace: str
    key: str
    exp_ms: int | None
    body: bytes
    address: Address | None


def home(store: Store) -> Home:
    """The archive that the store's stubs lie in; raises `NoArchive` where there was never one."""
    rows = store.engine.read("setting", (SETTING,))
    if not rows:
        raise NoArchive(url=store.url)
    return Home(*orjson.loads(rows[0][0]))


def save_home(store: Store, where: Home, actor: str) -> None:
    """Write down where the archive is, unless it is written down already."""
    text = orjson.dumps(list(where)).decode()
    if [row[0] for row in store.engine.read("setting", (SETTING,))] != [text]:
        with store.change(actor) as (change, _):
            change.tx.run("save_setting", (SETTING, text, crc_of((SETTING, text))))
            change.note("archive", f"is {where.archive_id} in {where.url}")


def state_since(store: Store) -> datetime:
    """When the store became what it is: made, or restored under a new replica id."""
    own = store.meta().replica_no
    rows = store.engine.read("replicas")
    return to_datetime(next(created for number, *_, created, _ in rows if number == own))


def usage(store: Store, shard: Shard = WHOLE) -> Iterator[Usage]:
    """Every record of the shard that may be archived, in one pass over bodies and access counts.

    Plain values with no siblings beside them, neither pinned nor in quarantine nor archived yet.
    """
    with store.engine.snapshot() as reader:
        paths = numbers_in(reader, shard)
        numbers = store.engine.array(sorted(paths))
        whole = shard.is_whole
        rows = reader.stream(*(("stream_usage",) if whole else ("stream_usage_of", (numbers,))))
        for _, group in groupby(rows, key=itemgetter(0, 1)):
            row, *beside = group
            if not beside and (found := _used(paths, row)):
                yield found


def usage_of(store: Store, seqs: Sequence[int]) -> Iterator[Usage]:
    """Of these rows, those that may be archived. Whether something stands beside them is not
    asked: this is for estimates."""
    rows = store.engine.read("usage_of", (store.engine.array(list(seqs)),))
    numbers = sorted({row[0] for row in rows})
    paths: dict[int, str] = dict(store.engine.read("paths_of", (store.engine.array(numbers),)))
    for row in rows:
        if row[0] in paths and (found := _used(paths, row)):
            yield found


def _used(paths: dict[int, str], row: Row) -> Usage | None:
    ns, key, field, seq, exp, flags, size, packed, count, read_ms = row
    if field or flags & QUARANTINED_FLAG or codec_of(flags) == Codec.ARCHIVED:
        return None
    try:
        body = unpack(bytes(packed))
    except Damaged:
        return None
    if body.pinned or type_of(flags) != RowKind.PLAIN:
        return None
    return Usage(
        seq, paths[ns], key, body.kind, body.importance, body.created_ms, millis(body.ts), exp,
        read_ms, count or 0, body.size, size - len(packed), size,
    )  # fmt: skip


def stubs(store: Store) -> Iterator[Stub]:
    """Every archived record, in order of namespace and key."""
    with store.engine.snapshot() as reader:
        for row in reader.stream("stream_stubs"):
            yield _stub(_stored(row))


def stubs_at(store: Store, paths: Iterable[tuple[str, str]]) -> Iterator[Stub]:
    """The archived ones among these records, without a look at any other."""
    by_namespace: dict[str, list[str]] = {}
    for namespace, key in paths:
        by_namespace.setdefault(namespace, []).append(key)
    for namespace, keys in by_namespace.items():
        if ns := store.namespaces.find(namespace):
            rows = store.engine.read("old_many", (ns[0], store.engine.array(keys)))
            for old in map(Old._make, rows):
                if codec_of(old.flags) == Codec.ARCHIVED:
                    stored = StoredRow(
                        namespace, old.key, old.field, old.seq, old.exp, old.flags,
                        bytes(old.body), bytes(old.stub or b""), bytes(old.hash),
                    )  # fmt: skip
                    yield _stub(stored)


def rows_of(store: Store, seqs: Sequence[int]) -> dict[int, StoredRow]:
    """Rows by sequence number; those that have changed since are not there any more."""
    found: dict[int, StoredRow] = {}
    for start in range(0, len(seqs), _PAGE):
        page = store.engine.array(list(seqs[start : start + _PAGE]))
        found |= {row[3]: _stored(row) for row in store.engine.read("rows_by_seq", (page,))}
    return found


def _stub(row: StoredRow) -> Stub:
    address = None
    try:
        if check_row(row):
            address = read_address(row.value)
    except Damaged:
        address = None
    return Stub(row.seq, row.namespace, row.key, row.exp_ms, row.body, address)


def _stored(row: Row) -> StoredRow:
    namespace, key, field, seq, exp, flags, *blobs, content = row
    body, value, digest = map(bytes, blobs)
    return StoredRow(namespace, key, field, seq, exp, flags, body, value, digest, content)


def opened(store: Store, row: StoredRow) -> tuple[Body, bytes]:
    """Body and canonical text of a row that is not archived; raises `Damaged`."""
    if not check_row(row):
        raise Damaged("its hash does not match")
    body = unpack(row.body)
    return body, store.text_of(body, codec_of(row.flags), row.value)
