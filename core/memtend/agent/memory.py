"""`AgentMemory`: the memory of one agent of a swarm.

    >>> from memtend import AgentMemory
    >>> with AgentMemory.open("sqlite://", agent="builder", swarm="demo") as memory:
    ...     _ = memory.initialize({"languages": ["python"]})
    ...     _ = memory.record_decision("storage", "SQLite", rationale="one file")
    ...     [made.decision for made in memory.decisions()]
    ['SQLite']

What agents write at the same time, on one machine or on several, is all kept: every decision and
outcome has an id of its own, and what is shared is kept per author.
"""

from __future__ import annotations

from memtend.agent.decisions import Decisions
from memtend.agent.following import Following
from memtend.agent.outcomes import Outcomes
from memtend.agent.shared import Shared
from memtend.agent.snapshots import Snapshots
from memtend.agent.states import States
from memtend.agent.watching import Watching


class AgentMemory(States, Decisions, Shared, Outcomes, Following, Snapshots, Watching):
    """Opened by `AgentMemory.open`, or made around an open `Memory`. Thread-safe."""
