"""Which expired records to drop. Pure: the same arguments give the same plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from datetime import datetime
from itertools import islice
from typing import Protocol

from memtend.limits import PLAN_DECISIONS_MAX
from memtend.model.facts import Facts
from memtend.model.plan import Action, Decision, Plan
from memtend.model.policy import Cleanup, Policy

ROUTINE = frozenset({Cleanup.LAZY, Cleanup.SCHEDULED})
"""What a routine sweep cleans. Lazy records that nobody asks for again would stay for ever."""


class ExpiredRow(Protocol):
    @property
    def seq(self) -> int: ...
    @property
    def namespace(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def exp_ms(self) -> int: ...
    @property
    def size(self) -> int: ...


def plan_sweep(
    rows: Iterable[ExpiredRow],
    facts: Facts,
    policy_of: Callable[[str, str], Policy],
    show: Callable[[int], datetime],
    cleanups: Set[Cleanup] = ROUTINE,
) -> Plan:
    """Delete each expired row that this sweep may clean; keep the others, and say why."""
    looked_at = islice(rows, PLAN_DECISIONS_MAX)
    decisions = [
        _decide(row, policy_of(row.namespace, row.key), show, cleanups) for row in looked_at
    ]
    return Plan(
        operation="sweep",
        store_id=facts.store_id,
        made_at=facts.at,
        basis=facts.seq,
        total=facts.records,
        decisions=tuple(decisions),
        truncated=len(decisions) == PLAN_DECISIONS_MAX,
    )


def _decide(
    row: ExpiredRow, policy: Policy, show: Callable[[int], datetime], cleanups: Set[Cleanup]
) -> Decision:
    cleaned = policy.cleanup in cleanups
    why = f"expired {show(row.exp_ms).isoformat(' ', 'seconds')} under {policy.pattern!r}"
    if not cleaned:
        why += ", which is cleaned only by hand"
    # Not validated again: every part comes from the store, and there may be a million of them.
    return Decision.model_construct(
        action=Action.DELETE if cleaned else Action.KEEP,
        namespace=row.namespace,
        key=row.key,
        seq=row.seq,
        reason=why,
        size_bytes=row.size,
    )
