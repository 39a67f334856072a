"""Records of one consistent view of a store, one by one, as an export writes them.

What a reader would not be shown is not exported: expired values, and what is of another kind than
its key. Quarantined values are: an export says that they are, and whoever writes it decides.
A damaged row is left out and counted, and stops nothing but itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import ormsgpack

from memtend.codec.address import read_address
from memtend.codec.compress import Codec, Damaged
from memtend.codec.envelope import Body, check_row, codec_of, unpack
from memtend.crdt.rows import RowKind
from memtend.errors import ArchiveDamaged
from memtend.export.report import DAMAGED
from memtend.model.pattern import compile_pattern
from memtend.store.seen import Seen, counter_value, newest, visible
from memtend.store.views import of_kind

if TYPE_CHECKING:
    from memtend.export.plan import ExportPlan
    from memtend.export.report import Tally
    from memtend.model.stored import SideRow, StoredRow
    from memtend.store.snapshot import Snapshot
    from memtend.store.store import Store

_EXPIRED = "expired, and not yet swept"
_STRANGE = "of another kind than the rest of its key; see `memtend conflicts show`"


class Access(NamedTuple):
    """How often a record was read, and when last."""

    reads: int
    at_ms: int


class Exported(NamedTuple):
    """What is visible at one path. `top` is the newest; `older` stand beside it, oldest first.

    `text` is the canonical JSON of the value; of a counter, the sum. `expires_ms` of a counter is
    the latest deadline of its parts. `field` is empty but for elements of sets and fields of maps.
    """

    namespace: str
    key: str
    field: str
    type: RowKind
    text: bytes
    top: Body
    created_ms: int
    expires_ms: int | None
    older: tuple[Seen, ...] = ()
    access: Access | None = None

    @property
    def path(self) -> str:
        return f"{self.namespace}/{self.key}"


def records(store: Store, view: Snapshot, plan: ExportPlan, tally: Tally) -> Iterator[Exported]:
    """Those that the plan chooses, by namespace, key and field; the archive is asked for values."""
    pattern = compile_pattern(plan.pattern)
    accesses = _Accesses(view.access())
    now_ms = store.clock.now_ms()
    rows = view.rows(pattern.may_govern_below)
    for (namespace, key, field), group in groupby(rows, key=lambda row: row[:3]):
        if not pattern.governs(f"{namespace}/{key}"):
            continue
        found = list(_opened(store, group, tally))
        seen = visible(found, now_ms)
        own = of_kind(seen, None) if seen else []
        path = f"{namespace}/{key}"
        if len(seen) < len(found):
            tally.leave_out(path, _EXPIRED)
        if len(own) < len(seen):
            tally.leave_out(path, _STRANGE)
        if not own:
            continue
        top = newest(own)
        if (plan.agent or top.body.agent) != top.body.agent:
            continue
        if (plan.kind or top.body.kind) != top.body.kind:
            continue
        access = accesses.of(namespace, key) if not field else None
        try:
            own = [_thawed(store, path, one) for one in own]
        except (ArchiveDamaged, Damaged):
            tally.leave_out(path, DAMAGED)
            continue
        yield _exported(namespace, key, field, own, newest(own), access)


def _exported(
    namespace: str, key: str, field: str, own: list[Seen], top: Seen, access: Access | None
) -> Exported:
    kind = RowKind(top.body.type)
    older: tuple[Seen, ...] = ()
    created_ms, expires_ms, text = top.body.created_ms, top.exp, top.text
    if kind is RowKind.COUNTER:
        created_ms = min(one.body.created_ms for one in own)
        deadlines = [one.exp for one in own]
        expires_ms = None if None in deadlines else max(one for one in deadlines if one is not None)
        text = b"%d" % counter_value(own)
    else:
        beside = sorted((one for one in own if one is not top), key=lambda one: one.sibling.order)
        older = tuple(beside)
    return Exported(
        namespace, key, field, kind, text, top.body, created_ms, expires_ms, older, access
    )


def _opened(store: Store, rows: Iterator[StoredRow], tally: Tally) -> Iterator[Seen]:
    for row in rows:
        tally.seen += 1
        try:
            if not check_row(row):
                raise Damaged("its hash does not match")
            body = unpack(row.body)
            codec = codec_of(row.flags)
            if codec == Codec.ARCHIVED:
                yield Seen(body, b"", row.exp_ms, read_address(row.value))
            else:
                yield Seen(body, store.text_of(body, codec, row.value), row.exp_ms)
        except (Damaged, TypeError, AttributeError):
            tally.leave_out(f"{row.namespace}/{row.key}", DAMAGED)


def _thawed(store: Store, path: str, seen: Seen) -> Seen:
    if seen.stub is None:
        return seen
    assert store.archive is not None
    text = store.archive.text(seen.stub, path)
    if len(text) != seen.body.size:
        raise Damaged("its archived value is another")
    return seen._replace(text=text)


class _Accesses:
    """Access counts beside records: both come in the same order, so one pass is enough."""

    def __init__(self, rows: Iterator[SideRow]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def of(self, namespace: str, key: str) -> Access | None:
        place = (namespace, key)
        while self._next is not None and (self._next.name, self._next.field) < place:
            self._next = next(self._rows, None)
        if self._next is None or (self._next.name, self._next.field) != place:
            return None
        return Access(*ormsgpack.unpackb(self._next.cells))
