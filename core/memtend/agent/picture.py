"""The contents of a snapshot: read in one view of the store, cut into parts, and read back."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import AwareDatetime, BaseModel, ValidationError

from memtend.agent.reading import time_ms
from memtend.clock import to_datetime
from memtend.errors import SnapshotRefused
from memtend.limits import SCAN_MAX, SNAPSHOT_BYTES_MAX, SNAPSHOT_PART_BYTES
from memtend.model.layout import Kind, locate

if TYPE_CHECKING:
    from memtend.memory import Memory
    from memtend.model.layout import SwarmLayout
    from memtend.store.engine import Row


class SnapshotInfo(BaseModel, frozen=True, extra="forbid"):
    """`bytes` are those of the values as JSON; `left_out` counts sets and maps."""

    name: str
    swarm: str
    agent: str
    at: AwareDatetime
    whole_swarm: bool
    records: int
    bytes: int
    parts: int
    left_out: int = 0


class Remembered(BaseModel, frozen=True, extra="forbid"):
    namespace: str
    key: str
    value: Any


class Snapshot(BaseModel, frozen=True, extra="forbid"):
    """`missing_parts` is not zero where somebody deleted a part of it since."""

    info: SnapshotInfo
    missing_parts: int = 0
    records: tuple[Remembered, ...]

    def value(self, namespace: str, key: str, default: Any = None) -> Any:
        """What stood there, or `default`."""
        found = (one.value for one in self.records if (one.namespace, one.key) == (namespace, key))
        return next(found, default)


Kept = tuple[str, str, Any]
_PASSING = (Kind.HEARTBEAT, Kind.CURSOR)


def take(memory: Memory, layout: SwarmLayout, root: str) -> tuple[list[Kept], int]:
    """Everything visible at and below `root` that this agent may read, but no snapshots."""
    kept: list[Kept] = []
    left_out = 0
    for namespace, key, found in _rows(memory, layout, root):
        if found is None:
            left_out += 1
        else:
            kept += [(namespace, key, value) for key, value in found]
    return kept, left_out


def _rows(
    memory: Memory, layout: SwarmLayout, root: str
) -> Iterator[tuple[str, str, list[tuple[str, Any]] | None]]:
    who, config, store = memory.agent, memory.config, memory.store
    with store.engine.snapshot() as reader:
        for number, namespace, _ in reader.fetch("namespaces"):
            within = namespace == root or namespace.startswith(root + "/")
            if not within or namespace == layout.snapshots_root:
                continue
            if who is not None and not config.allows(who, "read", namespace):
                continue
            prefix = store.namespaces.find(namespace)
            for key, rows in groupby(reader.stream("stream", (number,)), key=itemgetter(0)):
                place = locate(namespace, key)
                if place and place.kind in _PASSING:
                    continue
                siblings = [_scanned(row) for row in rows]
                if any(row[6] for row in siblings) or prefix is None:
                    yield namespace, key, None
                else:
                    yield namespace, key, memory._reads.values(namespace, siblings, prefix)


def _scanned(row: Row) -> Row:
    """A row of statement `stream` in the columns of statement `scan`."""
    key, field, _, exp, flags, body, value, digest, _ = row
    return key, flags, exp, body, value, digest, field


def parts_of(name: str, records: list[Kept]) -> tuple[list[str], int]:
    """JSON texts of about a mebibyte; raises `SnapshotRefused` when they are too many."""
    parts: list[str] = []
    lines: list[bytes] = []
    size = total = 0
    for record in records:
        line = orjson.dumps(record)
        total += len(line)
        if total > SNAPSHOT_BYTES_MAX:
            why = f"it would be larger than {SNAPSHOT_BYTES_MAX:,} bytes"
            raise SnapshotRefused(name=name, why=why)
        if lines and size + len(line) > SNAPSHOT_PART_BYTES:
            parts.append(_joined(lines))
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if lines:
        parts.append(_joined(lines))
    return parts, total


def _joined(lines: list[bytes]) -> str:
    return f"[{b','.join(lines).decode()}]"


def infos_of(memory: Memory, layout: SwarmLayout) -> list[SnapshotInfo]:
    found: list[SnapshotInfo] = []
    after = ""
    while page := memory.scan(layout.snapshots_root, after=after, limit=SCAN_MAX):
        found += [
            info
            for key, value in page
            if "/" not in key and (info := _info(value) or _older(layout, key, value))
        ]
        after = page[-1][0]
    return sorted(found, key=lambda one: (one.at, one.name), reverse=True)


def read_snapshot(memory: Memory, layout: SwarmLayout, name: str) -> Snapshot | None:
    place = layout.snapshot(name)
    value = memory.get(*place)
    info = _info(value)
    if info is None:
        older = _older(layout, place.key, value)
        kept = Remembered(namespace=place.namespace, key=place.key, value=value)
        return Snapshot(info=older, records=(kept,)) if older else None
    keys = [f"{place.key}/part-{number:04d}" for number in range(info.parts)]
    texts = memory.get_many(place.namespace, keys)
    found = [one for key in keys if key in texts for one in orjson.loads(texts[key])]
    records = tuple(Remembered(namespace=n, key=k, value=v) for n, k, v in found)
    return Snapshot(info=info, records=records, missing_parts=len(keys) - len(texts))


def _info(value: Any) -> SnapshotInfo | None:
    try:
        return SnapshotInfo.model_validate(value)
    except ValidationError:
        return None


def _older(layout: SwarmLayout, key: str, value: Any) -> SnapshotInfo | None:
    """What the older program kept there: figures about a swarm, shown as the one record it is."""
    place = locate(layout.snapshots_root, key)
    if place is None or not isinstance(value, dict):
        return None
    agent = value.get("agent") or value.get("agent_name") or value.get("created_by")
    return SnapshotInfo(
        name=place.names[0], swarm=layout.swarm, agent=agent if isinstance(agent, str) else "",
        at=to_datetime(time_ms(value, "timestamp", "created_at")), whole_swarm=True,
        records=1, bytes=len(orjson.dumps(value)), parts=0,
    )  # fmt: skip
