"""The health of a swarm's memory, as one of its agents sees it. Nothing here is estimated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel

from memtend.agent.common import swarm_state_of
from memtend.agent.reading import namespaces_of
from memtend.clock import to_datetime, to_ms
from memtend.health.report import Check, Level
from memtend.limits import EXPIRING_SOON_MS, MESSAGE_AGE_WARN_MS, MIB, SCAN_MAX
from memtend.model.layout import OUTCOMES, PATTERNS, SwarmLayout
from memtend.store.conflicts import contested_in

if TYPE_CHECKING:
    from memtend.agent.models import SwarmState
    from memtend.memory import Memory
    from memtend.model.message import Backlog

_ORDER = (Level.OK, Level.WARNING, Level.CRITICAL)


class Usage(BaseModel, frozen=True, extra="forbid"):
    """What an agent, a session or the store holds of what it may hold."""

    scope: str
    name: str
    bytes: int
    limit_bytes: int
    share: float


class Holding(BaseModel, frozen=True, extra="forbid"):
    """Stored rows of one namespace: expired ones until they are swept, each sibling by itself."""

    namespace: str
    records: int
    bytes: int


class AgentHealth(BaseModel, frozen=True, extra="forbid"):
    """`healthy` is false from the first warning on.

    `expiring_soon` counts what ends within a day, up to 10,000; `conflicts` keys and fields of
    maps whose concurrent values nobody has settled.
    """

    agent: str
    swarm: str
    at: AwareDatetime
    level: Level
    healthy: bool
    usage: tuple[Usage, ...]
    holdings: tuple[Holding, ...]
    expiring_soon: int
    conflicts: int
    alive: int
    silent: tuple[str, ...]
    outcomes: int
    patterns: int
    locks: int
    messages_waiting: int
    messages_dead: int
    checks: tuple[Check, ...]


def condition(
    memory: Memory,
    layout: SwarmLayout,
    *,
    agent: str,
    session: str | None,
    silent_after_ms: int,
    locks: int,
    backlog: Backlog,
) -> AgentHealth:
    """Read everything once, then judge."""
    now_ms = memory.store.clock.now_ms()
    tallies = {
        (scope, name): (rows, size)
        for scope, name, rows, size in memory.store.engine.read("tallies")
    }
    spaces = namespaces_of(memory, layout.root)
    holdings = [
        Holding(namespace=path, records=tallies["ns", path][0], bytes=tallies["ns", path][1])
        for path in spaces
        if tallies.get(("ns", path), (0, 0))[0]
    ]
    usage = tuple(_usage(memory, tallies, agent, session))
    conflicts = sum(_conflicts(memory, path) for path in spaces)
    state = swarm_state_of(memory, layout, silent_after_ms)
    checks = (
        *(_quota(one, memory.config.file.quotas.warn_share) for one in usage),
        _settled(conflicts),
        _company(state),
        _inbox(backlog, now_ms),
    )
    level = max((check.level for check in checks), key=_ORDER.index)
    return AgentHealth(
        agent=agent,
        swarm=layout.swarm,
        at=to_datetime(now_ms),
        level=level,
        healthy=level is Level.OK,
        usage=usage,
        holdings=tuple(holdings),
        expiring_soon=_expiring(memory, set(spaces), now_ms),
        conflicts=conflicts,
        alive=state.alive,
        silent=tuple(one.agent for one in state.agents if one.status == "silent"),
        outcomes=tallies.get(("ns", OUTCOMES), (0, 0))[0],
        patterns=tallies.get(("ns", PATTERNS), (0, 0))[0],
        locks=locks,
        messages_waiting=backlog.waiting,
        messages_dead=backlog.dead,
        checks=checks,
    )


def _usage(
    memory: Memory,
    tallies: dict[tuple[str, str], tuple[int, int]],
    agent: str,
    session: str | None,
) -> Iterator[Usage]:
    quotas = memory.config.file.quotas
    held = [("agent", agent, tallies.get(("agent", agent), (0, 0))[1], quotas.agent_bytes)]
    if session is not None:
        size = tallies.get(("session", session), (0, 0))[1]
        held.append(("session", session, size, quotas.session_bytes))
    held.append(("store", "all", memory.store.meta().size, quotas.store_bytes))
    for scope, name, size, limit in held:
        yield Usage(scope=scope, name=name, bytes=size, limit_bytes=limit, share=size / limit)


def _expiring(memory: Memory, spaces: set[str], now_ms: int) -> int:
    found = memory.store.engine.read("expired", (now_ms + EXPIRING_SOON_MS, SCAN_MAX))
    path = memory.store.namespaces.path
    return sum(exp > now_ms and path(ns) in spaces for _, ns, _, _, exp, _ in found)


def _conflicts(memory: Memory, namespace: str) -> int:
    """Only namespaces that ever had concurrent values are looked through."""
    store, config, reads = memory.store, memory.config, memory._reads
    return sum(1 for _ in contested_in(store, config, reads, namespace, strays=False))


def _quota(usage: Usage, warn_share: float) -> Check:
    name = f"{usage.scope} quota"
    fact = f"{usage.name}: {usage.bytes / MIB:,.1f} of {usage.limit_bytes / MIB:,.0f} MiB"
    fact += f" ({usage.share:.0%})"
    if usage.share < warn_share:
        return Check(name=name, level=Level.OK, fact=fact)
    hint = "Delete records, shorten TTLs, or raise the quota in the policy file."
    level = Level.CRITICAL if usage.share >= 1 else Level.WARNING
    return Check(name=name, level=level, fact=fact, hint=hint)


def _inbox(backlog: Backlog, now_ms: int) -> Check:
    fact = f"messages waiting: {backlog.waiting:,}, undeliverable: {backlog.dead:,}"
    late = backlog.oldest_at is not None and now_ms - to_ms(backlog.oldest_at) > MESSAGE_AGE_WARN_MS
    if not late and not backlog.dead:
        return Check(name="messages", level=Level.OK, fact=fact)
    hint = "Receive and acknowledge them; retry or discard what could not be delivered."
    return Check(name="messages", level=Level.WARNING, fact=fact, hint=hint)


def _settled(conflicts: int) -> Check:
    fact = f"keys with concurrent values: {conflicts:,}"
    if not conflicts:
        return Check(name="conflicts", level=Level.OK, fact=fact)
    hint = "`memtend conflicts list` names them, `memtend conflicts resolve` settles one."
    return Check(name="conflicts", level=Level.WARNING, fact=fact, hint=hint)


def _company(state: SwarmState) -> Check:
    silent = [one.agent for one in state.agents if one.status == "silent"]
    fact = f"agents alive: {state.alive}, silent: {len(silent)}, offline: {state.offline}"
    if not silent:
        return Check(name="agents", level=Level.OK, fact=fact)
    hint = f"Look after {', '.join(silent[:5])}: no sign of life, and no word of leaving."
    return Check(name="agents", level=Level.WARNING, fact=fact, hint=hint)
