"""What a record is worth, 0..1: success, confidence, use and time saved, as the policy weighs them.

Weights are spread over what is known. How often a record was used is always known, since the store
counts reads itself; that alone says nothing of its worth, so a record without success, confidence
and time saved has no value: None, a class of its own (see `space`).
"""

from __future__ import annotations

from math import log1p
from typing import TYPE_CHECKING

from memtend.prune.known import MEASURED, measures, used_ms
from memtend.prune.strategy import DELETE, Verdict, days

if TYPE_CHECKING:
    from memtend.model.candidate import Candidate
    from memtend.model.prunepolicy import PrunePolicy
    from memtend.prune.strategy import Judge, ValueOf


_TABLE_MAX = 1_000


def weighted(policy: PrunePolicy) -> ValueOf:
    """The value until one is learned. Being read more never lowers it.

    Use counts by its logarithm up to `used_full`, time saved evenly up to `saved_full_ms`.
    """
    by_success, by_confidence, by_use, by_saved = policy.weights
    used_full, saved_full_ms = log1p(policy.used_full), policy.saved_full_ms
    known_use = [log1p(uses) / used_full for uses in range(min(policy.used_full, _TABLE_MAX) + 1)]

    def value(candidate: Candidate) -> float | None:
        if candidate.kind != MEASURED and candidate.confidence is candidate.success_count is None:
            return None
        executions, success, sure, saved = measures(candidate)
        if success is None and sure is None and saved is None:
            return None
        uses = candidate.accesses + (executions or 0)
        used = known_use[uses] if uses < len(known_use) else min(1.0, log1p(uses) / used_full)
        total, known = by_use * used, by_use
        if success is not None:
            total, known = total + by_success * success, known + by_success
        if sure is not None:
            total, known = total + by_confidence * sure, known + by_confidence
        if saved is not None:
            share = min(1.0, max(0.0, saved / saved_full_ms))
            total, known = total + by_saved * share, known + by_saved
        return total / known if known else None

    return value


class Value:
    """Strategy *value*: what is worth little and has not been used for long. Off by default."""

    name = "value"

    def __init__(self, below: float, unused_ms: int, now_ms: int, value_of: ValueOf) -> None:
        self._below = below
        self._unused_ms = unused_ms
        self._now_ms = now_ms
        self._value_of = value_of

    def judge_of(self, _kind: str) -> Judge:
        return self._judge

    def _judge(self, candidate: Candidate) -> Verdict | None:
        score = self._value_of(candidate)
        if score is None or score >= self._below:
            return None
        idle_ms = self._now_ms - used_ms(candidate)
        if idle_ms < self._unused_ms:
            return None
        why = f"value {score:.2f}, less than {self._below:g}, not used for {days(idle_ms)}"
        return Verdict("low-value", DELETE, why, score)
