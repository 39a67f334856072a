"""What every part of `AgentMemory` stands on: an open memory, who writes, and the heartbeat.

The first write says that the store keeps a swarm's memory (`Config.lay_out`), so its categories are
retained as such from then on. Each write carries a heartbeat along, at most every half minute, in
the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError

from memtend.drafting import Put
from memtend.errors import AccessDenied, InvalidValue
from memtend.limits import AGENT_BEAT_MS
from memtend.memory import Memory
from memtend.model.layout import Place, SwarmLayout
from memtend.model.record import Labels

if TYPE_CHECKING:
    from datetime import datetime

    from memtend.agent.recommending import Recommender
    from memtend.clock import Clock


class AgentBase:
    """One agent of one swarm, perhaps in one session. Thread-safe."""

    def __init__(
        self,
        memory: Memory,
        agent: str,
        swarm: str,
        session: str | None = None,
        *,
        recommender: Recommender | None = None,
    ) -> None:
        if memory.agent not in (None, agent):
            raise AccessDenied(agent=memory.agent, action="act as", namespace=f"agent {agent}")
        # The owner's memory is opened once more as the agent, so that its grants hold.
        self.memory = memory if memory.agent else Memory(memory.store, agent=agent)
        self.agent = agent
        self.swarm = swarm
        self.session = session
        self.layout = SwarmLayout(swarm)
        self.clock: Clock = memory.store.clock
        self._home = self.layout.agent(agent)
        self._pulse = self.layout.heartbeat(agent)
        self._context = self.layout.session(session) if session is not None else None
        self._recommender = recommender
        self._beat_ms: int | None = None
        self._owned = False

    @classmethod
    def open(
        cls,
        url: str = "memtend.db",
        *,
        agent: str,
        swarm: str,
        session: str | None = None,
        recommender: Recommender | None = None,
        **opening: Any,
    ) -> Self:
        """Open a store as this agent; `opening` are the other arguments of `Memory.open`."""
        SwarmLayout(swarm).agent(agent)  # a name that is refused opens nothing
        memory = Memory.open(url, agent=agent, **opening)
        try:
            opened = cls(memory, agent, swarm, session, recommender=recommender)
        except BaseException:
            memory.close()
            raise
        opened._owned = True
        return opened

    def close(self) -> None:
        """Close what `open` opened; a memory that was handed over is only flushed."""
        if self._owned:
            self.memory.close()
        else:
            self.memory.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def heartbeat(self) -> None:
        """Say that this agent is alive. Every write says so too."""
        self._beat_ms = self.clock.now_ms()
        self._write([self._beat(self._beat_ms)])

    def _labels(
        self, kind: str, confidence: float | None = None, tags: Sequence[str] = ()
    ) -> Labels:
        try:
            return Labels(
                kind=kind,
                agent=self.agent,
                session=self.session,
                confidence=confidence,
                tags=tuple(tags),
            )
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise InvalidValue(name=f"{kind} labels", why=first["msg"]) from None

    def _put(self, place: Place, value: Mapping[str, Any], labels: Labels, **more: Any) -> None:
        self._write([Put(*place, dict(value), labels, **more)])

    def _write(self, puts: list[Put]) -> None:
        """All or none, with a heartbeat if the last sign of life is a while ago."""
        self._lay_out(*(put.namespace for put in puts))
        now_ms = self.clock.now_ms()
        late = self._beat_ms is None or not 0 <= now_ms - self._beat_ms < AGENT_BEAT_MS
        self.memory.put_many([*puts, self._beat(now_ms)] if late else puts)
        if late:
            self._beat_ms = now_ms

    def _beat(self, now_ms: int) -> Put:
        sign = {"at_ms": now_ms, "session": self.session}
        return Put(*self._pulse, sign, self._labels("heartbeat"))

    def _merge(self, place: Place, kind: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Set fields of a stored object; other fields stay, also those written meanwhile."""
        self._lay_out(place.namespace)

        def merged(before: Any) -> dict[str, Any]:
            return {**(before if isinstance(before, dict) else {}), **changes}

        result: dict[str, Any] = self.memory.update(*place, merged, labels=self._labels(kind))
        return result

    def _lay_out(self, *namespaces: str) -> None:
        """Before the first write, but not before one that is refused."""
        config = self.memory.config
        if not config.laid_out:
            for namespace in namespaces:
                config.allow(self.agent, "write", namespace)
            config.lay_out(self.agent)

    def _stamp(self) -> dict[str, Any]:
        """Who and when, as every record of an agent says it."""
        return {
            "agent": self.agent,
            "swarm": self.swarm,
            "session": self.session,
            "at_ms": self.clock.now_ms(),
        }


def share_of(value: float | None, what: str) -> float | None:
    """A share between 0 and 1, or unknown."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidValue(name=what, why=f"{value!r} is not between 0 and 1")
    return float(value)


def since_ms(since: datetime | None, name: str = "since") -> int:
    """A moment in milliseconds; a naive one is refused, because nobody knows its zone."""
    from memtend.clock import to_ms  # noqa: PLC0415

    if since is None:
        return 0
    if since.tzinfo is None:
        raise InvalidValue(name=name, why=f"{since.isoformat()} has no time zone")
    return to_ms(since)
