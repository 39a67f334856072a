"""How the swarm is: who is there and at what, and whether anything needs somebody's attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.agent.meeting import Meeting
from memtend.limits import AGENT_SILENT_MS

if TYPE_CHECKING:
    from memtend.agent.condition import AgentHealth
    from memtend.agent.models import SwarmState


class Watching(Meeting):
    def swarm_state(self, *, silent_after_ms: int = AGENT_SILENT_MS) -> SwarmState:
        """Who is there, what they are at, and what the swarm shares."""
        from memtend.agent.common import swarm_state_of  # noqa: PLC0415

        return swarm_state_of(self.memory, self.layout, silent_after_ms)

    def health_report(self, *, silent_after_ms: int = AGENT_SILENT_MS) -> AgentHealth:
        """Sizes against quotas, counts, what expires within a day, conflicts, silent agents,
        messages that nobody takes."""
        from memtend.agent.condition import condition  # noqa: PLC0415

        return condition(
            self.memory, self.layout, agent=self.agent, session=self.session,
            silent_after_ms=silent_after_ms, locks=len(self.locks()),
            backlog=self.messages.backlog(),
        )  # fmt: skip
