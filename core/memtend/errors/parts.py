"""9: plans that are made in parts."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class PlanIncomplete(MemtendError):
    """Without one shard a plan would take what is worth more than what lies there. There is no
    plan, and nothing was changed."""

    code = 9
    message = "the {operation} plan cannot be joined from its parts: {why}"
    hint = "Begin the run again: it looks at every shard anew."
