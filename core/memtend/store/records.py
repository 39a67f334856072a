"""Rows as the models that callers know, and everything that looks at more than one key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import ormsgpack

from memtend.clock import to_datetime
from memtend.crdt import tally
from memtend.crdt.hlc import millis
from memtend.crdt.rows import RowKind
from memtend.model.dot import Dot
from memtend.model.names import check_path
from memtend.model.pattern import compile_pattern
from memtend.model.policy import Reading
from memtend.model.record import Labels, Record, Trust, built
from memtend.store import narrowing
from memtend.store.engine import Row
from memtend.store.reads import Reads
from memtend.store.seen import Seen, newest

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
        found = self._shown(namespace, key, self.seen(namespace, key))
        return self._with_access([found[0]])[0] if found else None

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

    def looked(self, namespace: str, key: str) -> tuple[list[Record], dict[str, int]]:
        """Every visible sibling of a key and of its fields, and what this replica has seen of the
        world at that instant (CRDT_SPEC 4.3)."""
        check_path(namespace, key)
        with self._store.engine.snapshot() as view:
            context = self._store.state(view).vv
            found = view.fetch("namespace", (namespace,))
            rows = view.fetch("get_fields", (found[0][0], key)) if found else []
        grouped: dict[str, list[Row]] = {}
        for field, *rest in rows:
            grouped.setdefault(field, []).append(tuple(rest))
        if ns := self._store.namespaces.find(namespace):
            self._store.absence.fields(ns[0], key)
        seen = {f: self._reads.siblings(namespace, key, r, f) for f, r in grouped.items()}
        return [
            to_record(namespace, key, one, len(beside) - 1, field)
            for field, beside in seen.items()
            for one in sorted(beside, key=lambda one: one.text)
        ], context

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
        """Judged by what a reader is shown of the key; under `multi_value` by each value on its
        own, of which the newest that fits is found.

        The archive is asked only for values that the query needs or wants, and asked last.
        """
        for one in self._hits(namespace, key, seen):
            if not query.fits_labels(one.body):
                continue
            if any(other.stub is not None for other in seen):
                from memtend.model.query import Cold  # noqa: PLC0415 — few records are archived

                if query.cold is Cold.SKIP and one.stub is not None:
                    continue
                if query.asks_value or query.cold is Cold.READ:
                    seen = [self._reads.thawed(namespace, key, other) for other in seen]
            found = self._shown(namespace, key, seen, one.body.dot)
            if found and (not query.asks_value or query.fits_value(found[0].value, found[1])):
                return found[0]
        return None

    def _hits(self, namespace: str, key: str, seen: list[Seen]) -> list[Seen]:
        """Whose labels and value are looked at: the newest, or all, the newest first."""
        views = self._reads.views
        own = views.own(namespace, key, seen)
        if len(own) > 1 and views.reading(namespace, key) is Reading.MV:
            return sorted(own, key=lambda one: one.sibling.order, reverse=True)
        return [newest(own)] if own else []

    def _shown(
        self, namespace: str, key: str, seen: list[Seen], dot: Dot | None = None
    ) -> tuple[Record, str] | None:
        """What a reader is shown of a key and its canonical text; with `dot`, of that sibling."""
        views = self._reads.views
        found = views.show(namespace, key, seen) if seen else None
        if found is None:
            return None
        top, text = found.top, found.text
        if dot not in (None, top.body.dot):
            top = next(one for one in found.own if one.body.dot == dot)
            text = top.text
        record = to_record(namespace, key, top, len(seen) - 1)
        if top.body.type == RowKind.COUNTER:
            beside = len(seen) - len(found.own)
            shown = record.model_copy(update={"value": found.value, "conflicts": beside})
            return shown, text.decode()
        more: dict[str, Any] = {}
        if text is not top.text:
            more["value"] = found.value
        if len(found.own) > 1 and views.reading(namespace, key) is Reading.MV:
            more["values"] = tuple(one.value for one in sorted(found.own, key=lambda one: one.text))
        return record.model_copy(update=more) if more else record, text.decode()

    def _candidates(
        self, query: Query, within: Callable[[str], bool]
    ) -> Iterator[tuple[str, str, list[Seen]]]:
        if query.tag is not None:
            yield from self._tagged(query.tag, within)
            return
        paths = self._store.namespaces.load()
        if query.agent is not None:
            places = narrowing.namespaces_of(self._store, query.agent, within)
            if places is not None:
                for place in places:
                    yield from self._owned(query, *place)
                return
        for namespace in paths:
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

    def _owned(
        self, query: Query, namespace: str, number: int
    ) -> Iterator[tuple[str, str, list[Seen]]]:
        contested = number in self._store.namespaces.contested
        told = ""
        for one in narrowing.owned(self._store, str(query.agent), namespace, number):
            if one.key == told:  # a sibling, or written again since the last page
                continue
            told, seen = one.key, []
            if contested:
                seen = self.seen(namespace, one.key, cold=False)
            elif narrowing.may_fit(query, one):
                seen = self._reads.siblings(namespace, one.key, [one.row], cold=False)
            if seen:
                yield namespace, one.key, seen

    def _within(self, namespace: str, query: Query) -> Iterator[tuple[str, str, list[Seen]]]:
        """Decided by the hashed bodies alone: a damaged copy in a column must hide nothing."""
        ns = self._store.namespaces.ids[namespace][0]
        for rows in self._reads.whole_keys(namespace, ns, "", "", _PAGE):
            for key, group in groupby(rows, key=itemgetter(0)):
                rows_of_key = [row[1:6] for row in group]
                if len(rows_of_key) == 1:
                    lone = narrowing.Owned(namespace, key, rows_of_key[0])
                    if not narrowing.may_fit(query, lone):
                        continue
                seen = self._reads.siblings(namespace, key, rows_of_key, cold=False)
                if any(query.may_match(one.body) for one in seen):
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


def to_record(namespace: str, key: str, seen: Seen, conflicts: int, field: str = "") -> Record:
    body = seen.body
    extra: dict[str, Any] = ormsgpack.unpackb(body.extra) if body.extra else {}
    labels = {
        "kind": body.kind,
        "agent": body.agent,
        "session": body.session,
        "tags": body.tags,
        "importance": body.importance,
        "confidence": body.confidence,
        "success_count": body.success_count,
        "failure_count": body.failure_count,
        "pinned": body.pinned,
        "writer": body.writer,
        "trust": Trust(body.trust),
        "extra": extra,
    }
    record = {
        "namespace": namespace,
        "key": key,
        "field": field,
        "value": value_of(seen),
        "labels": built(Labels, labels),
        "dot": body.dot,
        "created_at": to_datetime(body.created_ms),
        "updated_at": to_datetime(millis(body.ts)),
        "expires_at": None if seen.exp is None else to_datetime(seen.exp),
        "accessed_at": None,
        "access_count": 0,
        "size_bytes": body.size,
        "conflicts": conflicts,
        "values": (),
        "archived": seen.stub is not None,
    }
    return built(Record, record)


def value_of(seen: Seen) -> Any:
    """None where the value was left in the archive; of a part of a counter, what it adds."""
    if seen.body.type == RowKind.COUNTER:
        totals = tally.Part.of(seen.text).totals
        return totals.plus - totals.minus
    return seen.value if seen.text else None


def _accessed(record: Record, counts: dict[tuple[str, str], tuple[int, int]]) -> Record:
    found = counts.get((record.namespace, record.key))
    if found is None:
        return record
    return record.model_copy(
        update={"access_count": found[0], "accessed_at": to_datetime(found[1])}
    )
