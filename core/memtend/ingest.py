"""Importing into a store: what is there already, and carrying out a reviewed plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

import ormsgpack

from memtend.drafting import Put
from memtend.migrate.importing import (
    ImportPlan,
    ImportPut,
    StoredImport,
    first_known_ms,
    stored_import,
    to_apply,
    to_puts,
)
from memtend.migrate.items import Found, ImportItem
from memtend.model.plan import Report
from memtend.model.record import Labels
from memtend.model.subject import Owned
from memtend.store.change import Old
from memtend.store.ledger import Filter

if TYPE_CHECKING:
    from memtend.guard import Cleared
    from memtend.memory import Memory

_BATCH = 200


def known_imports(memory: Memory, found: Iterable[Found]) -> dict[str, StoredImport]:
    """What the store holds, or has swept, at the paths of these items. Expired rows count too."""
    known: dict[str, StoredImport] = {}
    for item in found:
        if not isinstance(item, ImportItem):
            continue
        ns = memory.store.namespaces.find(item.namespace)
        if ns is None:
            continue
        place = (ns[0], item.key)
        olds = [Old._make(row) for row in memory.store.engine.read("old", (*place, ""))]
        bodies = [body for body in (old.unpacked() for old in olds) if body]
        if bodies:
            newest = max(bodies, key=lambda body: body.ts)
            extra = ormsgpack.unpackb(newest.extra) if newest.extra else {}
            known[item.path] = stored_import(Labels(extra=extra))
        elif any(why == "swept" for *_, why in memory.store.engine.read("log_of", place)):
            # It came, outlived its TTL and was swept: bringing it again would change nothing.
            known[item.path] = StoredImport(item.source.import_id, item.source.digest)
    return known


def erased_imports(memory: Memory, found: Iterable[Found]) -> frozenset[str]:
    """The import ids of items that were erased from this store."""
    ledger = Filter.load(memory.store.engine)
    if not ledger:
        return frozenset()
    items = (item for item in found if isinstance(item, ImportItem))
    return frozenset(item.source.import_id for item in items if _is_erased(ledger, item))


def _is_erased(ledger: Filter, item: ImportItem) -> bool:
    labels = item.labels
    owned = Owned(labels.agent, labels.writer, labels.session, labels.tags)
    return ledger.forbids(item.namespace, item.key, owned, first_known_ms(item))


def apply_import(cleared: Cleared, memory: Memory, found: Iterable[Found]) -> Report:
    """Write what the plan takes, in batches of whole items. Safe to repeat after a crash."""
    plan = cleared.plan
    if not isinstance(plan, ImportPlan):
        raise TypeError("an import needs an import plan")
    clock = memory.store.clock
    began = clock.monotonic_ns()
    ledger = Filter.load(memory.store.engine)
    wanted = (one for one in to_apply(plan, found) if not _is_erased(ledger, one[0]))
    written = 0
    while batch := list(islice(wanted, _BATCH)):
        puts: list[ImportPut] = []
        for item, decision in batch:
            puts += to_puts(
                item, run=str(plan.basis), now_ms=clock.now_ms(), counted=decision.counted
            )
        _write(memory, puts, cleared)
        written += len(batch)
    planned = len(plan.to_write())
    return Report(
        operation="import",
        applied=True,
        planned=planned,
        written=written,
        unchanged=len(plan.decisions) - planned,
        refused=len(plan.quarantined),
        changed_since=planned - written,
        seconds=(clock.monotonic_ns() - began) / 1e9,
        notes=tuple(_notes(plan)),
    )


def _write(memory: Memory, puts: list[ImportPut], cleared: Cleared) -> None:
    plain = [_put(memory, put) for put in puts if not put.counter]
    if plain:
        memory.put_many(plain, lease=cleared.lease)
    for put in puts:
        if put.counter:
            memory.increment(put.namespace, put.key, put.value, op_id=put.op_id, labels=put.labels)


def _put(memory: Memory, put: ImportPut) -> Put:
    """An imported record's deadline counts from when the source last changed it."""
    ttl_ms = memory.config.policy(put.namespace, put.key).ttl_ms
    return Put(
        put.namespace,
        put.key,
        put.value,
        put.labels,
        created_ms=put.created_ms,
        expires_at_ms=None if ttl_ms is None else put.updated_ms + ttl_ms,
        ctx=_NOTHING if put.beside else None,
    )


def _notes(plan: ImportPlan) -> Iterator[str]:
    for name, count in plan.counts.items():
        yield f"{count:,} of {name}"
    if plan.naive_times:
        yield f"{plan.naive_times:,} times without a zone were read as {plan.zone}"
    if plan.erased:
        yield f"{plan.erased:,} were erased here before and stay out"
    for one in plan.quarantined:
        yield f"quarantined {one.path}: {one.reason}"


_NOTHING: Mapping[str, int] = {}
