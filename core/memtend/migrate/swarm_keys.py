"""Where a key of the older swarm program goes: the very place that `AgentMemory` reads.

    >>> home_of("swarm-demo/agent-My Agent/decisions/storage")
    Place(namespace='swarm-demo/agent-q=My=20Agent/decisions', key='storage')
    >>> home_of("global/monitoring/snapshot-1763683440")
    Place(namespace='global/monitoring', key='snapshot-1763683440')

No key is refused for its characters, and different keys of two and more segments go to different
places. A key of a single segment goes below `swarm`.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any, Final

from memtend.errors import InvalidName
from memtend.model.layout import Kind, Place, locate, place_of
from memtend.model.names import check_path
from memtend.model.quoting import quote_segment
from memtend.model.timestamps import NotATime, parse_moment
from memtend.model.unreadable import Unreadable

_ALONE: Final = "swarm"
_PREFIXES: Final = (("swarm-",), ("agent-", "session-"))
_LABELS: Final = {Kind.DECISION_OUTCOME: "decision-outcome", Kind.SWARM: "coordination",
                  Kind.SESSION: "context"}  # fmt: skip
_TIMES: Final = ("timestamp", "updated_at", "shared_at", "last_used", "initialized_at")


def home_of(key: str) -> Place:
    """Raises `Unreadable` for a key that is too long for any place."""
    quoted = "/".join(_segment(part, number) for number, part in enumerate(key.split("/")))
    try:
        try:
            return place_of(quoted)
        except InvalidName:  # a path that ends where a namespace of the layout does
            namespace, _, last = quoted.rpartition("/")
            place = Place(namespace or _ALONE, last)
            check_path(*place)
            return place
    except InvalidName as error:
        raise Unreadable(f"its key has no place here: {error}") from None


def _segment(part: str, number: int) -> str:
    """A name within a segment is quoted by itself, as the layout does."""
    for prefix in _PREFIXES[number] if number < len(_PREFIXES) else ():
        if part.startswith(prefix) and part != prefix:
            return prefix + quote_segment(part.removeprefix(prefix))
    return quote_segment(part)


def kind_of(place: Place) -> str:
    """The label `kind`, as agents label what they write there."""
    found = locate(*place)
    if found is None:
        return "metric" if place.namespace == "global/monitoring" else "note"
    return _LABELS.get(found.kind, found.kind.value)


def agent_of(place: Place) -> str | None:
    """Whose memory the place is in, also where it is none of the layout's own."""
    found = locate("/".join(place.namespace.split("/")[:2]), "state")
    return found.names[0] if found and found.kind is Kind.STATE else None


def stated_at(value: Any, zone: tzinfo) -> int | None:
    """The moment that a value itself gives, if it gives it without a zone.

    Agents read such a text as UTC. Where it was written elsewhere, an import says so with `at_ms`.
    """
    if not isinstance(value, dict) or "at_ms" in value:
        return None
    for name in _TIMES:
        text = value.get(name)
        try:
            if isinstance(text, str) and datetime.fromisoformat(text).tzinfo is None:
                return parse_moment(text, zone).ms
        except (NotATime, ValueError):
            continue
        if isinstance(text, str):
            return None
    return None
