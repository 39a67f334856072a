"""Where a swarm's memory lies: the paths of its agents, their decisions, what they share.

    >>> place = SwarmLayout("demo").decision("builder", "architecture", "d1")
    >>> place.path
    'swarm-demo/agent-builder/decisions/architecture/d1'
    >>> locate(*place)
    Located(kind=<Kind.DECISION: 'decision'>, swarm='demo', names=('builder', 'architecture', 'd1'))

The paths are those of the older swarm program. They are cut into namespace and key so that grants
and erasure fit: all of an agent lies below `swarm-{id}/agent-{name}`, all of a session below
`swarm-{id}/session-{id}`. A name is one segment whatever is in it (`model.quoting`), so two
different names never meet in one path, and no name leads into another agent's memory.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from memtend.errors import InvalidName
from memtend.limits import LAYOUT_NAME_BYTES_MAX, LAYOUT_TEXT_BYTES_MAX
from memtend.model.names import check_path
from memtend.model.quoting import quote_segment, unquote_segment

OUTCOMES: Final = "neural/outcomes"
PATTERNS: Final = "neural/patterns"


class Kind(StrEnum):
    """What a path of the layout holds."""

    STATE = "state"
    HEARTBEAT = "heartbeat"
    CURSOR = "cursor"
    DECISION = "decision"
    DECISION_OUTCOME = "decision outcome"
    PROGRESS = "progress"
    KNOWLEDGE = "knowledge"
    COORDINATION = "coordination"
    SWARM = "swarm"
    SNAPSHOT = "snapshot"
    SESSION = "session"
    OUTCOME = "outcome"
    PATTERN = "pattern"


class Place(NamedTuple):
    namespace: str
    key: str

    @property
    def path(self) -> str:
        return f"{self.namespace}/{self.key}"


class Located(NamedTuple):
    """What is at a place. `names` are those that made it, unquoted, in the order of the path."""

    kind: Kind
    swarm: str | None
    names: tuple[str, ...]


class SwarmLayout:
    """The places of one swarm. Raises `InvalidName` for a name that is empty or too long."""

    def __init__(self, swarm: str) -> None:
        self.swarm = swarm
        self.root = f"swarm-{segment(swarm, 'swarm')}"
        self.knowledge_root = f"{self.root}/global/knowledge"
        self.coordination_root = f"{self.root}/coordination"
        self.snapshots_root = f"{self.root}/snapshots"
        self.shared = _place(f"{self.root}/global", "coordination")

    def agent(self, agent: str) -> str:
        """The namespace below which all memory of an agent lies."""
        return f"{self.root}/agent-{segment(agent, 'agent')}"

    def decisions(self, agent: str) -> str:
        return f"{self.agent(agent)}/decisions"

    def tasks(self, agent: str) -> str:
        return f"{self.agent(agent)}/progress"

    def state(self, agent: str) -> Place:
        return _place(self.agent(agent), "state")

    def heartbeat(self, agent: str) -> Place:
        return _place(self.agent(agent), "heartbeat")

    def cursor(self, agent: str, replica: str) -> Place:
        """How far the agent has looked at the changes of one replica."""
        return _place(self.agent(agent), f"cursors/{segment(replica, 'replica')}")

    def decision(self, agent: str, kind: str, number: str) -> Place:
        key = f"{segment(kind, 'decision type')}/{segment(number, 'decision')}"
        return _place(self.decisions(agent), key)

    def decision_outcomes(self, agent: str) -> str:
        return f"{self.agent(agent)}/decision-outcomes"

    def decision_outcome(self, agent: str, number: str, author: str) -> Place:
        """What `author` says of how a decision of `agent` turned out."""
        key = f"{segment(number, 'decision')}/{segment(author, 'agent')}"
        return _place(self.decision_outcomes(agent), key)

    def progress(self, agent: str, task: str) -> Place:
        return _place(self.tasks(agent), segment(task, "task", LAYOUT_TEXT_BYTES_MAX))

    def knowledge(self, kind: str, author: str, topic: str | None = None) -> Place:
        key = f"{segment(kind, 'knowledge type')}/{segment(author, 'agent')}"
        if topic is not None:
            key += f"/{segment(topic, 'topic', LAYOUT_TEXT_BYTES_MAX)}"
        return _place(self.knowledge_root, key)

    def coordination(self, kind: str, author: str) -> Place:
        key = f"{segment(kind, 'coordination type')}/{segment(author, 'agent')}"
        return _place(self.coordination_root, key)

    def snapshot(self, name: str) -> Place:
        return _place(self.snapshots_root, segment(name, "snapshot"))

    def session(self, session: str) -> Place:
        return _place(f"{self.root}/session-{segment(session, 'session')}", "context")


def outcome_place(number: str) -> Place:
    return _place(OUTCOMES, segment(number, "outcome"))


def pattern_place(number: str) -> Place:
    return _place(PATTERNS, segment(number, "pattern"))


def segment(name: str, what: str, limit: int = LAYOUT_NAME_BYTES_MAX) -> str:
    """One name as one path segment."""
    if not isinstance(name, str) or not name:
        raise InvalidName(what=what, name=name, why="it is empty or not text")
    if "\0" in name or not is_text(name):
        why = "it has a NUL character or half of a surrogate pair, which labels cannot keep"
        raise InvalidName(what=what, name=name[:64], why=why)
    quoted = quote_segment(name)
    if len(quoted) > limit:
        why = f"longer than {limit} bytes once its odd characters are quoted"
        raise InvalidName(what=what, name=name[:64] + "…", why=why)
    return quoted


def is_text(name: str) -> bool:
    """Whether it is Unicode: no half of a surrogate pair stands alone."""
    return not any("\ud800" <= char <= "\udfff" for char in name)


def names_of(address: str) -> tuple[str, ...]:
    """All names of whoever has this address: an inbox `swarm-…/agent-ada` is ada's as well."""
    place = locate(address, "state")
    return (address, place.names[0]) if place else (address,)


def place_of(path: str) -> Place:
    """A path of the layout, cut into namespace and key as agents read it. Raises `InvalidName`.

    For importers: what is stored elsewhere under the same path is not found by an agent.
    """
    parts = path.split("/")
    depth = 2
    if parts[0] == "neural" or parts[1:2] == ["global"]:
        depth = 3 if parts[1:3] == ["global", "knowledge"] else 2
    elif parts[1:2] and parts[1].startswith("agent-"):
        depth = 3 if parts[2:3] and parts[2] in _OF_AGENT else 2
    place = Place("/".join(parts[:depth]), "/".join(parts[depth:]))
    check_path(*place)
    return place


def locate(namespace: str, key: str) -> Located | None:
    """What a place holds, or None where it is not one of the layout."""
    if namespace in _NEURAL:
        return _located(_NEURAL[namespace], None, (key,))
    root, *rest = namespace.split("/")
    if not root.startswith("swarm-") or not rest:
        return None
    swarm = root.removeprefix("swarm-")
    parts = tuple(key.split("/"))
    if rest[0].startswith("agent-"):
        agent = rest[0].removeprefix("agent-")
        return _of_agent(swarm, agent, rest[1:], parts)
    if rest[0].startswith("session-") and rest[1:] == [] and key == "context":
        return _located(Kind.SESSION, swarm, (rest[0].removeprefix("session-"),))
    if rest == ["global"] and key == "coordination":
        return _located(Kind.SWARM, swarm, ())
    kind = _SHARED.get("/".join(rest))
    return _located(kind, swarm, parts) if kind else None


def _of_agent(swarm: str, agent: str, rest: list[str], parts: tuple[str, ...]) -> Located | None:
    names = (agent, *parts)
    if not rest and parts in (("state",), ("heartbeat",)):
        return _located(Kind(parts[0]), swarm, (agent,))
    if not rest and parts[0] == "cursors" and len(parts) == 2:
        return _located(Kind.CURSOR, swarm, (agent, parts[1]))
    if rest == ["progress"] and len(parts) == 1:
        return _located(Kind.PROGRESS, swarm, names)
    if rest == ["decisions"] and len(parts) <= 2:
        return _located(Kind.DECISION, swarm, names)
    if rest == ["decision-outcomes"] and len(parts) == 2:
        return _located(Kind.DECISION_OUTCOME, swarm, names)
    return None


def _located(kind: Kind, swarm: str | None, names: tuple[str, ...]) -> Located | None:
    try:
        found = tuple(map(unquote_segment, names))
        return Located(kind, None if swarm is None else unquote_segment(swarm), found)
    except InvalidName:  # written by somebody else, and no name of ours
        return None


def _place(namespace: str, key: str) -> Place:
    check_path(namespace, key)
    return Place(namespace, key)


_OF_AGENT: Final = ("decisions", "decision-outcomes", "progress")
_NEURAL: Final = {OUTCOMES: Kind.OUTCOME, PATTERNS: Kind.PATTERN}
_SHARED: Final = {
    "global/knowledge": Kind.KNOWLEDGE,
    "coordination": Kind.COORDINATION,
    "snapshots": Kind.SNAPSHOT,
}
