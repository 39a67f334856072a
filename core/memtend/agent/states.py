"""Who the agent is and what it is at: its state, its progress on tasks, the session's context."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from memtend.agent.base import share_of
from memtend.agent.meeting import Meeting
from memtend.errors import InvalidValue
from memtend.model.layout import Place

if TYPE_CHECKING:
    from memtend.agent.models import Progress

ACTIVE, OFFLINE = "active", "offline"


class States(Meeting):
    def initialize(
        self, capabilities: Mapping[str, Any] | Iterable[str] | None = None, **more: Any
    ) -> dict[str, Any]:
        """Say that this agent is here, what it can do, and whatever else is given.

        From now on it hears what is broadcast to the swarm. What an earlier run said of itself
        stays; returns the whole state.
        """
        given: dict[str, Any] = {}
        if isinstance(capabilities, Mapping):
            given["capabilities"] = dict(capabilities)
        elif capabilities is not None:
            one = isinstance(capabilities, str)
            given["capabilities"] = [capabilities] if one else list(capabilities)
        state = self.update_state(**{"status": ACTIVE, **given, **more})
        self._listen()
        return state

    def state(self, agent: str | None = None) -> dict[str, Any] | None:
        """What an agent said about itself last; None where it is unknown."""
        found = self.memory.get(*self.layout.state(agent or self.agent))
        return found if isinstance(found, dict) else None

    def update_state(self, **changes: Any) -> dict[str, Any]:
        """Set fields of this agent's state; the others stay. Returns all of it."""
        stamp = self._stamp()
        state = self._merge(self.layout.state(self.agent), "state", {**changes, **stamp})
        self._beat_ms = stamp["at_ms"]  # the state itself is a sign of life
        return state

    def leave(self, **changes: Any) -> None:
        """Say that this agent goes. Its memory stays as long as its categories do."""
        self._merge(
            self.layout.state(self.agent), "state",
            {"status": OFFLINE, **changes, **self._stamp()},
        )  # fmt: skip
        self.messages.unsubscribe(self.layout.root)
        self.memory.delete(*self._pulse)
        self._beat_ms = None

    def record_progress(
        self,
        task: str,
        *,
        done: float | None = None,
        status: str = "in_progress",
        note: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Say how far a task is (`done` from 0 to 1); it replaces what was said of it before."""
        said = {"task": task, "done": share_of(done, "done"), "status": status, "note": note}
        value = {**said, "data": dict(data or {}), **self._stamp()}
        self._put(self.layout.progress(self.agent, task), value, self._labels("progress"))

    def progress(self, task: str | None = None, *, agent: str | None = None) -> list[Progress]:
        """What an agent said of its tasks, or of this one, latest first."""
        from memtend.agent.history import progress_of  # noqa: PLC0415

        return progress_of(self.memory, self.layout, agent or self.agent, task)

    def session_context(self) -> dict[str, Any]:
        """What the agents of this session keep in mind together; it lives for a day."""
        found = self.memory.get(*self._in_session())
        return found if isinstance(found, dict) else {}

    def update_session_context(self, **changes: Any) -> dict[str, Any]:
        """Set fields of the session's context; the others stay. The day begins anew."""
        return self._merge(self._in_session(), "context", changes)

    def _in_session(self) -> Place:
        if self._context is None:
            raise InvalidValue(name="session", why="this agent was opened without a session")
        return self._context
