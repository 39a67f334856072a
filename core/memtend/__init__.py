"""memtend: the system that tends the memory of AI agents.

    >>> from memtend import Memory
    >>> with Memory.open("sqlite://") as memory:
    ...     _ = memory.put("agent/researcher", "plan", {"step": 1})
    ...     memory.get("agent/researcher", "plan")
    {'step': 1}

Names load when they are first used, so that `import memtend` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memtend.agent.memory import AgentMemory
    from memtend.drafting import Put
    from memtend.errors import MemtendError
    from memtend.memory import Memory
    from memtend.model.policy import Cleanup, Policy, Reading
    from memtend.model.query import Query
    from memtend.model.record import Labels, Record, Trust
    from memtend.model.version import Version
    from memtend.policies import load_policies
    from memtend.services import Services, open_services
    from memtend.upcast.current import as_version

__version__ = "0.1.0"

_HOMES = {
    "AgentMemory": "memtend.agent.memory",
    "Cleanup": "memtend.model.policy",
    "Labels": "memtend.model.record",
    "Memory": "memtend.memory",
    "MemtendError": "memtend.errors",
    "Policy": "memtend.model.policy",
    "Put": "memtend.drafting",
    "Query": "memtend.model.query",
    "Reading": "memtend.model.policy",
    "Record": "memtend.model.record",
    "Services": "memtend.services",
    "Trust": "memtend.model.record",
    "Version": "memtend.model.version",
    "as_version": "memtend.upcast.current",
    "load_policies": "memtend.policies",
    "open_services": "memtend.services",
}

__all__ = [
    "AgentMemory",
    "Cleanup",
    "Labels",
    "Memory",
    "MemtendError",
    "Policy",
    "Put",
    "Query",
    "Reading",
    "Record",
    "Services",
    "Trust",
    "Version",
    "as_version",
    "load_policies",
    "open_services",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'memtend' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
