"""Reading a swarm's memory: whole namespaces page by page, times in older dialects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from memtend.clock import to_ms
from memtend.limits import SCAN_MAX, TIME_MS_MAX

if TYPE_CHECKING:
    from memtend.memory import Memory


def pages(memory: Memory, namespace: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every visible key and value of a namespace, in key order."""
    after = ""
    while page := memory.scan(namespace, prefix=prefix, after=after, limit=SCAN_MAX):
        yield from page
        after = page[-1][0]


def may_read(memory: Memory, namespace: str) -> bool:
    return memory.agent is None or memory.config.allows(memory.agent, "read", namespace)


def readable(memory: Memory) -> list[str]:
    """The namespaces that this agent may read."""
    return [path for path in memory.store.namespaces.load() if may_read(memory, path)]


def rows_by_namespace(memory: Memory) -> dict[str, int]:
    """Stored rows: expired ones until they are swept, each sibling by itself."""
    tallies = memory.store.engine.read("tallies")
    return {name: rows for scope, name, rows, _ in tallies if scope == "ns"}


def namespaces_of(memory: Memory, root: str) -> list[str]:
    """Those of them at and below `root`."""
    return [path for path in readable(memory) if path == root or path.startswith(root + "/")]


def time_ms(value: dict[str, Any], *older: str) -> int:
    """When a record was made: `at_ms`, or ISO text in a field of the older program, else 0.

    The older program wrote local times without a zone; they are read as UTC, as imports are. What
    is no moment that a clock shows is none: one odd record must not hide all others.
    """
    at_ms = value.get("at_ms")
    if isinstance(at_ms, int) and 0 <= at_ms <= TIME_MS_MAX:
        return at_ms
    for name in older:
        text = value.get(name)
        if isinstance(text, str):
            try:
                at = datetime.fromisoformat(text)
            except ValueError:
                continue
            return max(to_ms(at if at.tzinfo else at.replace(tzinfo=UTC)), 0)
    return 0
