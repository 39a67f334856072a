"""Reading what a swarm shares: knowledge, coordination, and the swarm as it is just now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from memtend.agent.history import agents_of, progress_of
from memtend.agent.models import AgentSeen, Coordination, Knowledge, SwarmState
from memtend.agent.reading import may_read, pages, rows_by_namespace, time_ms
from memtend.clock import to_datetime
from memtend.limits import AGENT_SILENT_MS
from memtend.model.layout import SwarmLayout, locate, segment

if TYPE_CHECKING:
    from memtend.memory import Memory

OFFLINE = "offline"


def knowledge_of(
    memory: Memory, layout: SwarmLayout, knowledge_type: str | None = None
) -> Iterator[Knowledge]:
    for names, value in _said(memory, layout.knowledge_root, knowledge_type):
        yield Knowledge.of(value, names)


def known(
    memory: Memory,
    layout: SwarmLayout,
    knowledge_type: str | None = None,
    *,
    topic: str | None = None,
    author: str | None = None,
    confidence_min: float | None = None,
    since_ms: int = 0,
    text: str | None = None,
    limit: int = 100,
) -> list[Knowledge]:
    """Knowledge that fits, latest first, at most `limit`."""
    words = (text or "").casefold().split()
    found = [
        one
        for one in knowledge_of(memory, layout, knowledge_type)
        if topic in (None, one.topic)
        and author in (None, one.agent)
        and (
            confidence_min is None
            or confidence_min <= (-1 if one.confidence is None else one.confidence)
        )
        and one.fits(since_ms, words)
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:limit]


def coordination_of(
    memory: Memory, layout: SwarmLayout, coordination_type: str | None = None
) -> Iterator[Coordination]:
    for names, value in _said(memory, layout.coordination_root, coordination_type):
        yield Coordination.of(value, names)


def swarm_state_of(
    memory: Memory, layout: SwarmLayout, silent_after_ms: int = AGENT_SILENT_MS
) -> SwarmState:
    """Everybody who left a trace that this agent may read, with what they are at."""
    now_ms = memory.store.clock.now_ms()
    rows = rows_by_namespace(memory)
    found = (
        _seen(memory, layout, agent, rows, now_ms - silent_after_ms)
        for agent in agents_of(memory, layout)
    )
    seen = [one for one in found if one is not None]
    shared = memory.get(*layout.shared) if may_read(memory, layout.shared.namespace) else None
    return SwarmState(
        swarm=layout.swarm,
        at=to_datetime(now_ms),
        agents=tuple(seen),
        alive=sum(one.status == "alive" for one in seen),
        silent=sum(one.status == "silent" for one in seen),
        offline=sum(one.status == OFFLINE for one in seen),
        decisions=sum(one.decisions for one in seen),
        knowledge=rows.get(layout.knowledge_root, 0),
        coordination=tuple(coordination_of(memory, layout))
        if may_read(memory, layout.coordination_root)
        else (),
        shared=shared if isinstance(shared, dict) else {},
    )


def _seen(
    memory: Memory, layout: SwarmLayout, agent: str, rows: dict[str, int], alive_from_ms: int
) -> AgentSeen | None:
    """None where nothing is left of the agent."""
    home = layout.agent(agent)
    found = memory.get_many(home, ["state", "heartbeat"]) if may_read(memory, home) else {}
    tasks = progress_of(memory, layout, agent) if may_read(memory, layout.tasks(agent)) else []
    decisions = rows.get(layout.decisions(agent), 0)
    if not (found or tasks or decisions):
        return None
    state, pulse = (_object(found.get(key)) for key in ("state", "heartbeat"))
    beat_ms, said_ms = time_ms(pulse), time_ms(state, "initialized_at")
    seen_ms = max(beat_ms, said_ms)
    status = "alive" if seen_ms > alive_from_ms else "silent"
    if not seen_ms or (state.get("status") == OFFLINE and beat_ms <= said_ms):
        status = OFFLINE
    session = (pulse if beat_ms > said_ms else state).get("session")
    return AgentSeen(
        agent=agent,
        status=status,
        seen_at=to_datetime(seen_ms) if seen_ms else None,
        session=session if isinstance(session, str) else None,
        state=state,
        progress=tuple(tasks),
        decisions=decisions,
    )


def _said(
    memory: Memory, namespace: str, kind: str | None
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Names of the path and values, of one type or of all."""
    prefix = "" if kind is None else segment(kind, "type")
    for key, value in pages(memory, namespace, prefix):
        place = locate(namespace, key)
        if place and isinstance(value, dict) and kind in (None, place.names[0]):
            yield place.names, value


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
