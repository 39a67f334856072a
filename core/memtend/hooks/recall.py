"""What a swarm's memory has to say at the moment: the newest of it, and what fits some words.

Honest and bounded: the newest records among the last changes of the store, judged by the words
that occur in them. Nothing is ranked by meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from memtend.agent.reading import namespaces_of, time_ms
from memtend.durations import show_duration
from memtend.limits import HOOK_RECENT_CHANGES, HOOK_RECENT_RECORDS
from memtend.model.layout import PATTERNS, Kind, SwarmLayout, locate

if TYPE_CHECKING:
    from memtend.memory import Memory

_WORD: Final = re.compile(r"\w{4,32}")
_WORDS_MAX: Final = 24
_VALUE_CHARS: Final = 160
_MINUTE_MS: Final = 60_000
_TOLD: Final = {
    Kind.DECISION: ("decision", "decision", "decision_type"),
    Kind.KNOWLEDGE: ("knowledge", "knowledge", "knowledge_type"),
    Kind.PATTERN: ("pattern", "description", "pattern_type"),
    Kind.PROGRESS: ("progress", "note", "task"),
}
"""Of each kind: what it is called, the field that says it, the field that names it."""


class Remembered(NamedTuple):
    """One record of the swarm as an agent is told of it."""

    kind: Kind
    agent: str
    at_ms: int
    value: dict[str, Any]
    path: str

    def line(self, now_ms: int) -> str:
        what, said, named = _TOLD[self.kind]
        text = _short(self.value.get(said))
        if self.kind is Kind.PROGRESS:
            text = ": ".join(filter(None, (_short(self.value.get("status")), text)))
        name = _short(self.value.get(named), 48)
        why = _short(self.value.get("rationale"))
        ago = show_duration(max(now_ms - self.at_ms, 0) // _MINUTE_MS * _MINUTE_MS)
        when = "just now" if ago == "0s" else f"{ago} ago"
        because = f" (because {why})" if why else ""
        return f"- {what} {name}: {text}{because} [{self.agent}, {when}]"


def recent(memory: Memory, layout: SwarmLayout, kinds: Iterable[Kind]) -> list[Remembered]:
    """The newest records of these kinds, newest first."""
    store, wanted = memory.store, frozenset(kinds)
    spaces = [*namespaces_of(memory, layout.root)]
    if Kind.PATTERN in wanted:
        spaces += namespaces_of(memory, PATTERNS)
    numbers = {found[0]: path for path in spaces if (found := store.namespaces.find(path))}
    start = store.meta().seq - HOOK_RECENT_CHANGES
    rows = store.engine.read(
        "recent_in", (start, store.engine.array(sorted(numbers)), HOOK_RECENT_RECORDS)
    )
    places = [(numbers[ns], key) for _, ns, key in rows]
    keys: dict[str, list[str]] = {}
    for namespace, key in dict.fromkeys(places):
        located = locate(namespace, key)
        if located is not None and located.kind in wanted:
            keys.setdefault(namespace, []).append(key)
    values = {
        (namespace, key): value
        for namespace, names in keys.items()
        for key, value in memory.get_many(namespace, names).items()
    }
    return [
        one
        for place in dict.fromkeys(places)
        if (one := _remembered(*place, values.get(place))) is not None
    ]


def related(found: Iterable[Remembered], text: str, limit: int) -> list[tuple[Remembered, int]]:
    """Records in which most words of a text occur, with how many; the newest of equal ones."""
    words = list(dict.fromkeys(_WORD.findall(text.casefold())))[:_WORDS_MAX]
    enough = min(2, len(words))
    scored = []
    for one in found:
        body = orjson.dumps(one.value).decode().casefold()
        count = sum(word in body for word in words)
        if count >= enough > 0:
            scored.append((one, count))
    return sorted(scored, key=lambda pair: -pair[1])[:limit]


def _remembered(namespace: str, key: str, value: Any) -> Remembered | None:
    located = locate(namespace, key)
    if located is None or not isinstance(value, dict):
        return None
    agent = value.get("agent") or value.get("agent_name") or ""
    return Remembered(
        located.kind, str(agent)[:64], time_ms(value, "timestamp"), value, f"{namespace}/{key}"
    )


def _short(value: Any, limit: int = _VALUE_CHARS) -> str:
    """Stored content as one line without control characters."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"
