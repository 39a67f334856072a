"""Rows as the models that callers know, and everything that looks at more than one key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import ormsgpack

from memtend.clock import to_datetime
from memtend.crdt.hlc import millis
from memtend.crdt.rows import RowKind
from memtend.model.names import check_path
from memtend.model.pattern import compile_pattern
from memtend.model.query import Cold
from memtend.model.record import Labels, Record, Trust
from memtend.store.engine import Row
from memtend.store.reads import Reads, Seen, counter_value, newest

if TYPE_CHECKING:
    from memtend.model.query import Query
    from memtend.store.store import Store

_PAGE = 500


class Records:
    """Reading whole records of one store."""

    def __init__(self, store: Store, reads: Reads) -> None:
        self._store = store
        self._reads = reads

    def one(self, namespace: str, key: str) -> Record | None:
        seen = self.seen(namespace, key)
        return self._with_access([_shown(namespace, key, seen)])[0] if seen else None

    def seen(self, namespace: str, key: str, *, cold: bool = True) -> list[Seen]:
        """The visible siblings of a key; without `cold`, archived ones have no text."""
        rows = self._rows("get", namespace, key)
        ns = self._store.namespaces.find(namespace)
        if ns and (not rows or ns[0] in self._store.namespaces.contested):
            self._store.absence.record(ns[0], key, found=bool(rows))
        return self._reads.siblings(namespace, key, rows, cold=cold)

    def opened(self, namespace: str, key: str) -> list[Seen]:
        """All siblings of a key, expired ones too."""
        return self._reads.opened(namespace, key, self._rows("get", namespace, key))

    def endings(self, namespace: str, key: str) -> list[Row]:
        """What the change log remembers of deletions and sweeps of this key."""
        return self._rows("log_of", namespace, key)

    def _rows(self, statement: str, namespace: str, key: str) -> list[Row]:
        check_path(namespace, key)
        ns = self._store.namespaces.find(namespace)
        return [] if ns is None else self._store.engine.read(statement, (ns[0], key))

    def siblings(self, namespace: str, key: str) -> list[Record]:
        """Each visible sibling as a record, in the order of its canonical JSON (CRDT_SPEC 4.4)."""
        seen = sorted(self.seen(namespace, key), key=lambda one: one.text)
        return [to_record(namespace, key, one, len(seen) - 1) for one in seen]

    def fields(self, namespace: str, key: str) -> dict[str, list[Seen]]:
        """Visible siblings per field: the elements of a set, the fields of a map."""
        if ns := self._store.namespaces.find(namespace):
            self._store.absence.fields(ns[0], key)
        grouped: dict[str, list[Row]] = {}
        for field, *rest in self._rows("get_fields", namespace, key):
            if field:
                grouped.setdefault(field, []).append(tuple(rest))
        found = {f: self._reads.siblings(namespace, key, r, f) for f, r in grouped.items()}
        return {field: seen for field, seen in found.items() if seen}

    def search(
        self, query: Query, may_read: Callable[[str], bool] = lambda _: True
    ) -> list[Record]:
        """Records that match, by namespace and key; with a tag, in the order of writing."""
        found: list[Record] = []
        pattern = compile_pattern(query.namespace)

        def within(namespace: str) -> bool:
            return pattern.governs(namespace) and may_read(namespace)

        for namespace, key, seen in self._candidates(query, within):
            if record := self._match(query, namespace, key, seen):
                found.append(record)
                if len(found) == query.limit:
                    break
        return self._with_access(found)

    def _match(self, query: Query, namespace: str, key: str, seen: list[Seen]) -> Record | None:
        """The archive is asked only for values that the query needs or wants, and asked last."""
        top, record = newest(seen), _shown(namespace, key, seen)
        if not query.fits_labels(record):
            return None
        if top.stub is not None:
            if query.cold is Cold.SKIP:
                return None
            if query.asks_value or query.cold is Cold.READ:
                thawed = [self._reads.thawed(namespace, key, one) for one in seen]
                top, record = newest(thawed), _shown(namespace, key, thawed)
        if query.asks_value and not query.fits_value(record.value, top.text.decode()):
            return None
        return record

    def _candidates(
        self, query: Query, within: Callable[[str], bool]
    ) -> Iterator[tuple[str, str, list[Seen]]]:
        if query.tag is not None:
            yield from self._tagged(query.tag, within)
            return
        for namespace in self._store.namespaces.load():
            if within(namespace):
                yield from self._within(namespace, query)

    def _tagged(
        self, tag: str, within: Callable[[str], bool]
    ) -> Iterator[tuple[str, str, list[Seen]]]:
        told: set[tuple[int, str]] = set()
        for ns, key, *row, beside, _ in self._reads.tagged_rows(tag, _PAGE):
            namespace = self._store.namespaces.path(ns)
            if (ns, key) in told or not within(namespace):
                continue
            told.add((ns, key))
            if beside:
                seen = self.seen(namespace, key, cold=False)
            else:
                seen = self._reads.siblings(namespace, key, [tuple(row)], cold=False)
            if seen:
                yield namespace, key, seen

    def _within(self, namespace: str, query: Query) -> Iterator[tuple[str, str, list[Seen]]]:
        """Decided by the hashed bodies alone: a damaged copy in a column must hide nothing."""
        ns = self._store.namespaces.ids[namespace][0]
        for rows in self._reads.whole_keys(namespace, ns, "", "", _PAGE):
            for key, group in groupby(rows, key=itemgetter(0)):
                rows_of_key = [row[1:6] for row in group]
                seen = self._reads.siblings(namespace, key, rows_of_key, cold=False)
                if seen and query.may_match(newest(seen).body):
                    yield namespace, key, seen

    def _with_access(self, records: list[Record]) -> list[Record]:
        by_namespace: dict[str, list[str]] = {}
        for record in records:
            by_namespace.setdefault(record.namespace, []).append(record.key)
        counts: dict[tuple[str, str], tuple[int, int]] = {}
        for namespace, keys in by_namespace.items():
            ns = self._store.namespaces.ids[namespace][0]
            rows = self._store.engine.read("accesses", (ns, self._store.engine.array(keys)))
            counts |= {(namespace, key): (count, at_ms) for key, count, at_ms, _ in rows}
        return [_accessed(record, counts) for record in records]


def _shown(namespace: str, key: str, seen: list[Seen]) -> Record:
    """What a reader is shown of a key: a counter's sum, else the newest sibling."""
    top = newest(seen)
    record = to_record(namespace, key, top, len(seen) - 1)
    if top.body.type == RowKind.COUNTER:
        return record.model_copy(update={"value": counter_value(seen), "conflicts": 0})
    return record


def to_record(namespace: str, key: str, seen: Seen, conflicts: int, field: str = "") -> Record:
    body = seen.body
    extra: dict[str, Any] = ormsgpack.unpackb(body.extra) if body.extra else {}
    labels = Labels.model_construct(
        kind=body.kind,
        agent=body.agent,
        session=body.session,
        tags=body.tags,
        importance=body.importance,
        confidence=body.confidence,
        success_count=body.success_count,
        failure_count=body.failure_count,
        pinned=body.pinned,
        writer=body.writer,
        trust=Trust(body.trust),
        extra=extra,
    )
    return Record.model_construct(
        namespace=namespace,
        key=key,
        field=field,
        value=seen.value if seen.text else None,
        labels=labels,
        dot=body.dot,
        created_at=to_datetime(body.created_ms),
        updated_at=to_datetime(millis(body.ts)),
        expires_at=None if seen.exp is None else to_datetime(seen.exp),
        accessed_at=None,
        access_count=0,
        size_bytes=body.size,
        conflicts=conflicts,
        archived=seen.stub is not None,
    )


def _accessed(record: Record, counts: dict[tuple[str, str], tuple[int, int]]) -> Record:
    found = counts.get((record.namespace, record.key))
    if found is None:
        return record
    return record.model_copy(
        update={"access_count": found[0], "accessed_at": to_datetime(found[1])}
    )
