"""The other tables of the older swarm program: each row of two of them is a record, one is a log.

    coordination_state   swarm-{swarm}/coordination-state/{type}/{id}
    neural_patterns      neural/patterns/{id}, where agents look for learned patterns
    memory_operations    only counted: it says nothing that the entries do not say

Checkpoints do not go to `swarm-{swarm}/coordination`: what lies there lives for an hour.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Final

from memtend.migrate.foreign_db import ForeignDb
from memtend.migrate.items import ImportItem, Lineage, PassedOver, printable
from memtend.migrate.swarm_place import TABLE, text_of
from memtend.migrate.swarm_rows import json_text, time_of
from memtend.model.layout import PATTERNS
from memtend.model.quoting import quote_segment
from memtend.model.record import Labels
from memtend.model.unreadable import Unreadable
from memtend.upcast.labelling import counts_of_rate, share, whole

STATES: Final = "coordination_state"
LEARNED: Final = "neural_patterns"
OPERATIONS: Final = "memory_operations"
_BESIDE: Final = f"{PATTERNS}-table"


def state_item(values: dict[str, Any], zone: tzinfo, _database: ForeignDb) -> ImportItem:
    """One checkpoint, or other state of coordination."""
    swarm, kind = text_of(values, "swarm_id"), text_of(values, "state_type")
    number = values.get("id")
    if not swarm or not kind or not isinstance(number, int):
        raise Unreadable("it has no swarm, type or number")
    made = time_of(values, "created_at", zone)
    made_ms = made.ms if made else None
    return ImportItem(
        namespace=f"swarm-{quote_segment(swarm)}/coordination-state",
        key=f"{quote_segment(kind)}/{number}",
        value=json_text(values, "state_data"),
        labels=Labels(kind="coordination", extra=_original(values, STATES, "state_data")),
        created_ms=made_ms,
        updated_ms=made_ms,
        naive_times=int(made is not None and made.naive),
        source=Lineage(kind="swarm", path="", id=str(number), format="1"),
    )


def pattern_item(values: dict[str, Any], zone: tzinfo, database: ForeignDb) -> ImportItem:
    """One learned pattern. What its columns say is put into the value where that is silent."""
    number = text_of(values, "pattern_id")
    if not number:
        raise Unreadable("it has no pattern_id")
    learned = time_of(values, "learned_at", zone)
    used = time_of(values, "last_used", zone)
    times = [moment.ms for moment in (learned, used) if moment]
    data = json_text(values, "pattern_data")
    value = data if isinstance(data, dict) else {"pattern_data": data}
    columns = {name: values.get(name) for name in ("pattern_id", "pattern_type", "success_rate")}
    columns["at_ms"] = max(times, default=None)
    added = {k: v for k, v in columns.items() if v is not None and k not in value}
    counts = counts_of_rate(values.get("success_rate"), values.get("usage_count"))
    taken = database.matching(TABLE, "memory_key", f"{PATTERNS}/{number}")
    extra = _original(values, LEARNED, "pattern_data")
    return ImportItem(
        namespace=_BESIDE if taken else PATTERNS,
        key=quote_segment(number),
        value=value | added,
        labels=Labels(
            kind="pattern",
            confidence=share(value.get("confidence_score")),
            success_count=counts.success,
            failure_count=counts.failure,
            extra=extra | {"added": sorted(added)},
        ),
        created_ms=learned.ms if learned else None,
        updated_ms=max(times, default=None),
        access_count=whole(values.get("usage_count")) or 0,
        naive_times=sum(moment.naive for moment in (learned, used) if moment),
        without_metrics=counts.success is None,
        source=Lineage(kind="swarm", path="", id=number, format="1"),
    )


def operations(database: ForeignDb, name: str) -> PassedOver:
    """The log, as what it is."""
    try:
        counts = database.tally(OPERATIONS, "operation_type")
        held = ", ".join(f"{count:,} {what}" for what, count in counts.items()) or "empty"
    except Unreadable as error:
        held = str(error)
    reason = f"{OPERATIONS} is a log, and no memory: {held}"
    return PassedOver(path=printable(name), reason=printable(reason))


def _original(values: dict[str, Any], table: str, data: str) -> dict[str, Any]:
    """Every column but the one that is the value; raises `Unreadable` for what labels cannot
    keep."""
    kept = {name: value for name, value in values.items() if name not in (data, "id")}
    for name, value in kept.items():
        if isinstance(value, bytes):
            raise Unreadable(f"its {name} is no text")
    return {"original": {"table": table, **{k: v for k, v in kept.items() if v is not None}}}
