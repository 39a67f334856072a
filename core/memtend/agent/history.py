"""Reading decisions: of one agent or of a swarm, each with what was said of it later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from memtend.agent.models import Decision, DecisionOutcome, Progress
from memtend.agent.reading import (
    may_read,
    namespaces_of,
    pages,
    readable,
    rows_by_namespace,
)
from memtend.errors import NotFound
from memtend.model.layout import Kind, SwarmLayout, locate, segment

if TYPE_CHECKING:
    from memtend.memory import Memory

EVERYBODY = "*"


def decided(
    memory: Memory,
    layout: SwarmLayout,
    agent: str,
    *,
    decision_type: str | None = None,
    since_ms: int = 0,
    text: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> list[Decision]:
    """Decisions that fit, latest first, at most `limit`, from after the one with the id `after`."""
    who = [agent]
    if agent == EVERYBODY:
        everybody = agents_of(memory, layout)
        who = [name for name in everybody if may_read(memory, layout.decisions(name))]
    words = (text or "").casefold().split()
    found = [
        decision
        for name in who
        for decision in decisions_of(memory, layout, name, decision_type)
        if decision.fits(since_ms, words)
    ]
    found.sort(key=lambda one: (one.at, one.decision_id), reverse=True)
    if after is None:
        return found[:limit]
    start = next((n for n, one in enumerate(found, 1) if one.decision_id == after), None)
    if start is None:  # from the beginning again, whoever reads page by page would never end
        raise NotFound(namespace=layout.decisions(agent) if agent != EVERYBODY else layout.root,
                       key=after)  # fmt: skip
    return found[start : start + limit]


def decisions_of(
    memory: Memory, layout: SwarmLayout, agent: str, decision_type: str | None = None
) -> Iterator[Decision]:
    """One agent's decisions with their outcomes. Whose decision is gone is gone as well."""
    namespace = layout.decisions(agent)
    prefix = "" if decision_type is None else segment(decision_type, "decision type")
    said = _outcomes_of(memory, layout, agent)
    for key, value in pages(memory, namespace, prefix):
        place = locate(namespace, key)
        if place is None or not isinstance(value, dict):
            continue
        if decision_type in (None, place.names[1]):
            decision = Decision.of(value, place.names)
            outcomes = sorted(said.get(decision.decision_id, ()), key=lambda one: one.at)
            yield decision.model_copy(update={"outcomes": tuple(outcomes)})


def _outcomes_of(
    memory: Memory, layout: SwarmLayout, agent: str
) -> dict[str, list[DecisionOutcome]]:
    """What was said of an agent's decisions, by their ids."""
    namespace = layout.decision_outcomes(agent)
    said: dict[str, list[DecisionOutcome]] = {}
    if not may_read(memory, namespace):
        return said
    for key, value in pages(memory, namespace):
        place = locate(namespace, key)
        if place and isinstance(value, dict):
            outcome = DecisionOutcome.of(value, place.names)
            said.setdefault(outcome.decision_id, []).append(outcome)
    return said


def progress_of(
    memory: Memory, layout: SwarmLayout, agent: str, task: str | None = None
) -> list[Progress]:
    """What an agent said of its tasks, or of this one, latest first."""
    namespace = layout.tasks(agent)
    if task is None:
        said = list(pages(memory, namespace))
    else:
        key = layout.progress(agent, task).key
        said = [(key, memory.get(namespace, key))]
    found = [
        Progress.of(value, place.names)
        for key, value in said
        if isinstance(value, dict) and (place := locate(namespace, key))
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)


def swarms_of(memory: Memory) -> list[str]:
    """The swarms that the store keeps anything of that this agent may read."""
    found: dict[str, None] = {}
    rows = rows_by_namespace(memory)
    for namespace in readable(memory):
        root, _, rest = namespace.partition("/")
        if rest and rows.get(namespace) and (place := locate(f"{root}/global", "coordination")):
            found[place.swarm or ""] = None
    return list(found)


def agents_of(memory: Memory, layout: SwarmLayout) -> list[str]:
    """The agents of a swarm that ever wrote anything that this agent may read."""
    found: dict[str, None] = {}
    for namespace in namespaces_of(memory, layout.root):
        parts = namespace.split("/")
        place = locate("/".join(parts[:2]), "state") if len(parts) > 1 else None
        if place is not None and place.kind is Kind.STATE:
            found[place.names[0]] = None
    return list(found)
