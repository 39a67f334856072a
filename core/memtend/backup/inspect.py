"""Looking into a backup without restoring it: what it is, what it holds, single values as JSON.

Only the segments in whose key range the question lies are read, and each is verified as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice
from typing import Any, Final

import ormsgpack
from pydantic import AwareDatetime, BaseModel

from memtend.backup.layers import Chain, State, segments_of
from memtend.backup.manifest import Count, Manifest
from memtend.clock import to_datetime
from memtend.codec import canonical
from memtend.codec.compress import Codec, Damaged, decompress
from memtend.codec.envelope import QUARANTINED_FLAG, check_row, codec_of, unpack
from memtend.codec.segment import Key, Table
from memtend.crdt import tally
from memtend.crdt.hlc import millis
from memtend.crdt.rows import RowKind, Sibling
from memtend.errors import BackupUnknown, NotFound, ObjectDamaged
from memtend.model.dot import Dot
from memtend.model.names import check_path
from memtend.model.stored import StoredRow

_LAST: Final = "\x7f"
"""Above every character that a name may have."""


class BackupView(BaseModel, frozen=True, extra="forbid"):
    """One backup. `chain` is what it builds on, itself last; `counts` what it wrote itself."""

    manifest: str
    number: int
    kind: str
    at: AwareDatetime
    chain: tuple[str, ...]
    store_id: str
    replica: str
    schema_version: str
    seq: int
    records: int
    record_bytes: int
    rows: int
    log_rows: int
    stored_bytes: int
    counts: dict[str, Count]
    damaged_rows: int
    left_out: tuple[str, ...]
    root: str | None
    state_sum: str
    audit_n: int
    audit_head: str
    label: str
    who: str
    why: str
    program: str


class KeyView(BaseModel, frozen=True, extra="forbid"):
    """One record, without its value. `versions` counts what was written side by side."""

    namespace: str
    key: str
    kind: str
    versions: int
    size_bytes: int
    written_at: AwareDatetime
    expires_at: AwareDatetime | None


class RecordView(BaseModel, frozen=True, extra="forbid"):
    """One stored version. Of a counter it is one replica's share, of a set one element.

    `value` is None where it lies in the archive, `archived` says so.
    """

    namespace: str
    key: str
    field: str
    value: Any
    type: str
    kind: str
    tags: tuple[str, ...]
    agent: str | None
    session: str | None
    importance: float
    written_at: AwareDatetime
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    replica: str
    n: int
    archived: bool = False
    quarantined: bool = False


def view(state: State) -> BackupView:
    one = state.manifest
    return BackupView(
        manifest=str(state.name),
        chain=tuple(str(name) for name, _ in state.chain),
        store_id=one.store.store_id,
        replica=one.store.replica,
        schema_version=one.store.schema_version,
        seq=one.store.seq,
        audit_n=one.store.audit_n,
        audit_head=one.store.audit_head,
        stored_bytes=sum(ref.stored_bytes for ref in one.segments),
        **{
            name: getattr(one, name)
            for name in (
                "number", "kind", "at", "records", "record_bytes", "rows", "log_rows", "counts",
                "damaged_rows", "left_out", "root", "state_sum", "label", "who", "why", "program",
            )
        },
    )  # fmt: skip


def keys(state: State, namespace: str, limit: int) -> list[KeyView]:
    """The first `limit` records of exactly this namespace, by key."""
    check_path(namespace, "k")
    rows = within(state, (namespace, "", ""), (namespace, _LAST, "")).rows()
    mine = (row for row in rows if row.namespace == namespace)
    groups = groupby(mine, key=lambda row: row.key)
    return [_key_view(list(group)) for _, group in islice(groups, limit)]


def values(state: State, namespace: str, key: str) -> list[RecordView]:
    """Every stored version of one key, expired ones too."""
    check_path(namespace, key)
    narrowed = within(state, (namespace, key, ""), (namespace, key, _LAST))
    rows = [row for row in narrowed.rows() if (row.namespace, row.key) == (namespace, key)]
    if not rows:
        raise NotFound(namespace=namespace, key=key)
    dictionaries = _Dictionaries(state)
    return [_record_view(state, row, dictionaries) for row in rows]


def as_one(versions: list[RecordView]) -> tuple[bool, Any]:
    """Whether the versions of a key have one value, and that: a total, the elements of a set."""
    types = {one.type for one in versions}
    if any(one.archived for one in versions) or len(types) > 1:
        return False, None
    if types == {"counter"}:
        parts = [
            Sibling(Dot(one.replica, one.n), 0, None, canonical.encode(one.value), RowKind.COUNTER)
            for one in versions
        ]
        return True, tally.value(parts, 0)
    if types == {"element"}:
        texts = {canonical.encode(one.value) for one in versions}
        return True, [canonical.decode(text) for text in sorted(texts)]
    return len(versions) == 1, versions[0].value


def within(state: State, low: Key, high: Key) -> State:
    """The same state, reading only segments that may hold a key between `low` and `high`."""
    chain: Chain = tuple((name, _narrowed(one, low, high)) for name, one in state.chain)
    return State(state.repository, chain, check_row)


def _narrowed(manifest: Manifest, low: Key, high: Key) -> Manifest:
    kept = tuple(
        ref
        for ref in manifest.segments
        if ref.table not in (Table.SIBLING, Table.LOG) or (ref.first <= high and ref.last >= low)
    )
    return manifest.model_copy(update={"segments": kept})


def _key_view(rows: list[StoredRow]) -> KeyView:
    bodies = [unpack(row.body) for row in rows]
    newest = max(bodies, key=lambda body: (body.ts, body.replica))
    deadlines = [row.exp_ms for row in rows if row.exp_ms is not None]
    ends = max(deadlines) if len(deadlines) == len(rows) else None
    return KeyView(
        namespace=rows[0].namespace,
        key=rows[0].key,
        kind=newest.kind,
        versions=len(rows),
        size_bytes=sum(body.size for body in bodies),
        written_at=to_datetime(millis(newest.ts)),
        expires_at=to_datetime(ends) if ends is not None else None,
    )


def _record_view(state: State, row: StoredRow, dictionaries: _Dictionaries) -> RecordView:
    archived = codec_of(row.flags) == Codec.ARCHIVED
    try:
        body = unpack(row.body)
        value = None
        if not archived:
            dictionary = dictionaries.get(body.dictionary)
            text = decompress(codec_of(row.flags), row.value, body.size, dictionary)
            value = canonical.decode(text)
        kind = RowKind(body.type)
    except (Damaged, ValueError) as error:
        name = f"{row.namespace}/{row.key} in {state.name}"
        raise ObjectDamaged(url=state.repository.store.url, name=name, why=str(error)) from None
    return RecordView(
        namespace=row.namespace,
        key=row.key,
        field=row.field,
        value=value,
        type=kind.name.lower(),
        kind=body.kind,
        tags=body.tags,
        agent=body.agent,
        session=body.session,
        importance=body.importance,
        written_at=to_datetime(millis(body.ts)),
        created_at=to_datetime(body.created_ms),
        expires_at=to_datetime(row.exp_ms) if row.exp_ms is not None else None,
        replica=body.replica,
        n=body.n,
        archived=archived,
        quarantined=bool(row.flags & QUARANTINED_FLAG),
    )


class _Dictionaries:
    """The zstd dictionaries in the backup, read when the first is asked for."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: dict[int, Any] | None = None

    def get(self, number: int | None) -> Any:
        if number is None:
            return None
        if self._known is None:
            self._known = dict(self._read())
        if number not in self._known:
            url = self._state.repository.store.url
            raise BackupUnknown(url=url, what="dictionary", name=str(number))
        return self._known[number]

    def _read(self) -> Iterator[tuple[int, Any]]:
        import zstandard  # noqa: PLC0415 — most values need no dictionary

        if segments_of(self._state.manifest, Table.SIDE):
            for row in self._state.side():
                if row.table == "dictionary":
                    _, data, *_ = ormsgpack.unpackb(row.cells)
                    yield int(row.name), zstandard.ZstdCompressionDict(data)
