"""Pickles as the older program wrote them, and the way back from our JSON to Python's values."""

from __future__ import annotations

import base64
import gzip
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import Any

from memtend.migrate.pickled_machine import unpickled
from memtend.migrate.pickled_values import Writer

PROTOCOLS = tuple(range(pickle.HIGHEST_PROTOCOL + 1))
CREATED = datetime(2026, 8, 13, 0, 44, 2, 454039)


class MemoryTier(Enum):
    EPISODIC = "episodic"
    SEMANTIC = "semantic"


@dataclass
class MemoryItem:
    id: str
    content: Any
    tier: Any = MemoryTier.EPISODIC
    created_at: Any = CREATED
    last_accessed: Any = CREATED
    access_count: int = 3
    importance: float = 0.25
    tags: Any = field(default_factory=set)
    metadata: Any = field(default_factory=dict)


def read(data: bytes) -> Any:
    """The JSON of what a pickle holds."""
    writer = Writer()
    return writer.json(unpickled(data, writer))


def archived(root: Path, item: Any, month: str = "2026/11", name: str | None = None) -> Path:
    data = item if isinstance(item, bytes) else pickle.dumps(item)
    path = root / "memory_archive" / month / f"{name or item.id}.archive.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data))
    return path


def restored(written: Any) -> Any:
    """Python's value again: what `pickled_values` says is one to one."""
    if isinstance(written, list):
        return [restored(one) for one in written]
    if not isinstance(written, dict):
        return written
    mark = next((name for name in written if name.startswith("$")), None)
    if mark is None:
        return {name: restored(one) for name, one in written.items()}
    return _special(mark, written[mark], written)


def _special(mark: str, held: Any, written: dict[str, Any]) -> Any:
    zone = [written["zone"]] if "zone" in written else []
    if mark == "$datetime":
        at = datetime.fromisoformat(held).replace(fold=written.get("fold", 0))
        return at.replace(tzinfo=timezone(at.utcoffset() or timedelta(), *zone)) if zone else at
    if mark == "$timezone_us":
        return timezone(timedelta(microseconds=held), *zone)
    simple: dict[str, Callable[[Any], Any]] = {
        "$bytes": base64.b64decode,
        "$tuple": lambda parts: tuple(map(restored, parts)),
        "$set": lambda parts: set(map(restored, parts)),
        "$frozenset": lambda parts: frozenset(map(restored, parts)),
        "$timedelta_us": lambda us: timedelta(microseconds=restored(us)),
        "$int": int,
        "$float": float,
        "$dict": lambda pairs: {restored(key): restored(one) for key, one in pairs},
        "$tier": MemoryTier,
        "$item": lambda fields: MemoryItem(**restored(fields)),
    }
    return simple[mark](held)
