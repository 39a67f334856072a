"""How long a swarm's memory lives where the policy file does not say: one rule per category.

They name what `AgentMemory` writes and nothing else, so that whatever a program keeps of its own
below the same namespaces lives as long as the policy file says.
"""

from __future__ import annotations

from typing import Final

from memtend.model.policy import Policy

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS

RETENTION_MS: Final = {
    "swarm-*/agent-*/state": 7 * _DAY_MS,
    "swarm-*/agent-*/progress": 7 * _DAY_MS,
    "swarm-*/agent-*/cursors": 7 * _DAY_MS,
    "swarm-*/agent-*/heartbeat": _HOUR_MS,
    "swarm-*/agent-*/decisions": 14 * _DAY_MS,
    "swarm-*/agent-*/decision-outcomes": 14 * _DAY_MS,
    "swarm-*/agent-*/knowledge": 30 * _DAY_MS,
    "swarm-*/session-*": _DAY_MS,
    "swarm-*/coordination": _HOUR_MS,
    "swarm-*/global/coordination": _HOUR_MS,
    "swarm-*/global/knowledge": 90 * _DAY_MS,
    "swarm-*/global/patterns": 365 * _DAY_MS,
    "swarm-*/snapshots": 30 * _DAY_MS,
    "neural/outcomes": 365 * _DAY_MS,
    "neural/patterns": 365 * _DAY_MS,
}
LAYOUT_RULES: Final = tuple(
    Policy(pattern=pattern, ttl_ms=ttl_ms) for pattern, ttl_ms in RETENTION_MS.items()
)
