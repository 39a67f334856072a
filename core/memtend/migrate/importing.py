"""The plan of an import, and what its items are to the store.

    found = list(read_source(root, zone="Europe/Berlin"))
    plan = plan_import(found, stored=…, …)          # pure: counts, decisions, reasons
    puts = to_puts(item, run=…, now_ms=…)           # for the items that the plan takes

Importing twice changes nothing: an item is known by `import_id` and its content by `digest`, both
kept in the record's labels. A record that somebody else wrote, or changed since, is never
overwritten: the item is refused and counted. So is what was erased here, unless every time that
the source knows of it is later than the erasure; its decision does not name it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import Field

from memtend.limits import PLAN_DECISIONS_MAX, QUARANTINE_TOTAL_BYTES_MAX
from memtend.migrate.items import LINEAGE, Found, ImportItem, PassedOver, Quarantined
from memtend.model.plan import Action, Decision, Plan
from memtend.model.record import Labels


class StoredImport(NamedTuple):
    """What the store knows of a path: the import it came from, or None for somebody's own."""

    import_id: str | None
    digest: str | None = None
    counted: int = 0


class ImportDecision(Decision, frozen=True, extra="forbid"):
    """`digest` pins the content that was reviewed; `counted` is what a counter already has."""

    import_id: str
    digest: str
    counted: int = 0


class ImportPlan(Plan, frozen=True, extra="forbid"):
    """What an import would do. `counts` are items by kind and version, as `pattern 1.2.0`."""

    source: str
    kind: str
    zone: str = "UTC"
    decisions: tuple[ImportDecision, ...] = ()
    counts: dict[str, int] = Field(default_factory=dict)
    quarantined: tuple[Quarantined, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    naive_times: int = 0
    without_metrics: int = 0
    erased: int = 0

    def to_write(self) -> dict[str, ImportDecision]:
        """What will be written, by `import_id`."""
        writing = (Action.IMPORT, Action.UPDATE)
        return {d.import_id: d for d in self.decisions if d.action in writing}


class ImportPut(NamedTuple):
    """One write. `beside` keeps what is at the path as a sibling; a counter's value is added."""

    namespace: str
    key: str
    value: Any
    labels: Labels
    created_ms: int
    updated_ms: int
    accessed_ms: int | None
    counter: bool
    beside: bool
    op_id: str


def plan_import(
    found: Iterable[Found],
    *,
    stored: Mapping[str, StoredImport],
    source: str,
    kind: str,
    zone: str,
    store_id: str,
    basis: int,
    made_at: datetime,
    erased: Set[str] = frozenset(),
) -> ImportPlan:
    """Decide what each item would do. `stored` holds the paths (`namespace/key`) in use, `erased`
    the import ids of what must not come back. Pure."""
    decisions: list[ImportDecision] = []
    taken: dict[str, ImportDecision] = {}
    counts: Counter[str] = Counter()
    quarantine: list[Quarantined] = []
    passed: list[PassedOver] = []
    naive = unknown = total = kept_bytes = kept_out = 0
    for one in found:
        if isinstance(one, Quarantined):
            kept_bytes += len(one.data)
            too_much = kept_bytes > QUARANTINE_TOTAL_BYTES_MAX
            quarantine.append(one.model_copy(update={"data": b""}) if too_much else one)
        elif isinstance(one, PassedOver):
            passed.append(one)
        else:
            total += 1
            counts[f"{one.labels.kind} {one.source.format}"] += 1
            naive += one.naive_times
            unknown += one.without_metrics
            if one.source.import_id in erased:
                kept_out += 1
                decisions.append(_kept_out(one))
                continue
            decisions.append(_decide(one, stored.get(one.path), taken.get(one.path)))
            taken.setdefault(one.path, decisions[-1])
    return ImportPlan(
        operation="import",
        store_id=store_id,
        made_at=made_at,
        basis=basis,
        total=total,
        decisions=tuple(decisions[:PLAN_DECISIONS_MAX]),
        truncated=len(decisions) > PLAN_DECISIONS_MAX,
        source=source,
        kind=kind,
        zone=zone,
        counts=dict(sorted(counts.items())),
        quarantined=tuple(quarantine),
        passed_over=tuple(passed),
        naive_times=naive,
        without_metrics=unknown,
        erased=kept_out,
    )


def first_known_ms(item: ImportItem) -> int | None:
    """The earliest time that the source knows of an item, or None where it knows none."""
    times = [item.created_ms, item.updated_ms, *(at_ms for _, at_ms in item.siblings)]
    return min((at_ms for at_ms in times if at_ms is not None), default=None)


def _kept_out(item: ImportItem) -> ImportDecision:
    return ImportDecision(
        action=Action.REFUSE,
        namespace="erased",
        key=item.source.import_id,
        reason="it was erased here and is no younger than that",
        import_id=item.source.import_id,
        digest="",
    )


def _decide(
    item: ImportItem, stored: StoredImport | None, twin: ImportDecision | None
) -> ImportDecision:
    source = item.source
    counted = 0
    if twin is not None:
        action = Action.REFUSE
        same = twin.digest == source.digest
        reason = "the same item again" if same else "another item of the source has this name"
    elif stored is None:
        action, reason = Action.IMPORT, f"{source.kind} {source.format}, {source.path}"
    elif stored.import_id != source.import_id:
        action, reason = Action.REFUSE, "a record that did not come from this item is there"
    elif stored.digest == source.digest:
        action, reason = Action.KEEP, "imported before, and unchanged"
    else:
        action, reason = Action.UPDATE, f"the source has changed: {source.path}"
        counted = stored.counted
    return ImportDecision(
        action=action,
        namespace=item.namespace,
        key=item.key,
        reason=reason,
        size_bytes=item.size_bytes,
        import_id=source.import_id,
        digest=source.digest,
        counted=counted,
    )


def to_apply(
    plan: ImportPlan, found: Iterable[Found]
) -> Iterator[tuple[ImportItem, ImportDecision]]:
    """The items of `found` that the plan takes, exactly as they were reviewed."""
    wanted = plan.to_write()
    for one in found:
        if isinstance(one, ImportItem):
            decision = wanted.get(one.source.import_id)
            if decision is not None and decision.digest == one.source.digest:
                del wanted[one.source.import_id]
                yield one, decision


def to_puts(item: ImportItem, *, run: str, now_ms: int, counted: int = 0) -> list[ImportPut]:
    """The writes of one item, oldest value first, the current one last.

    A time after `now_ms` becomes `now_ms`: the old machine's clock must not outlive ours.
    """
    lineage = {k: v for k, v in item.source._asdict().items() if v is not None} | {"run": run}
    if item.counter:
        lineage["counted"] = item.value
    labels = item.labels.model_copy(update={"extra": {**item.labels.extra, LINEAGE: lineage}})
    updated_ms = now_ms if item.updated_ms is None else min(item.updated_ms, now_ms)
    created_ms = updated_ms if item.created_ms is None else min(item.created_ms, updated_ms)
    current = item.value - counted if item.counter else item.value
    values = [*item.siblings, (current, updated_ms)]
    op = f"{item.source.import_id}:{item.source.digest[:16]}"
    return [
        ImportPut(
            namespace=item.namespace,
            key=item.key,
            value=value,
            labels=labels,
            created_ms=min(created_ms, at_ms),
            updated_ms=min(at_ms, now_ms),
            accessed_ms=item.accessed_ms,
            counter=item.counter,
            beside=n > 0,
            op_id=f"{op}:{n}",
        )
        for n, (value, at_ms) in enumerate(values)
    ]


def stored_import(labels: Labels) -> StoredImport:
    """What the labels of a stored record say about where it came from."""
    lineage = labels.extra.get(LINEAGE)
    if not isinstance(lineage, dict):
        return StoredImport(None)
    counted = lineage.get("counted", 0)
    return StoredImport(
        lineage.get("import_id"),
        lineage.get("digest"),
        counted if isinstance(counted, int) else 0,
    )
