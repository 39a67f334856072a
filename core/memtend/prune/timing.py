"""Strategy *time*: patterns nobody uses, decisions of long ago, patterns that failed.

A deadline is inclusive: one millisecond earlier the record stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.limits import TIME_MS_MAX
from memtend.prune.known import made_ms, tried, used_ms
from memtend.prune.strategy import ARCHIVE, DELETE, Verdict, days

if TYPE_CHECKING:
    from memtend.model.candidate import Candidate
    from memtend.model.prunepolicy import PrunePolicy
    from memtend.prune.strategy import Judge


class Timing:
    """A pattern has failed if it was switched off, or if it succeeded less than `success_below`,
    however few its executions are: those of many go without waiting (*performance*)."""

    name = "time"

    def __init__(self, policy: PrunePolicy, now_ms: int) -> None:
        self._now_ms = now_ms
        self._unused_ms = policy.unused_patterns_ms
        self._old_ms = policy.old_decisions_ms
        self._failed_ms = policy.failed_patterns_ms
        self._least_ms = min(self._unused_ms or TIME_MS_MAX, self._failed_ms or TIME_MS_MAX)
        self._below = policy.success_below

    def judge_of(self, kind: str) -> Judge | None:
        if kind == "pattern":
            return self._pattern
        return self._decision if kind == "decision" else None

    def _pattern(self, candidate: Candidate) -> Verdict | None:
        if candidate.read_ms is not None and self._now_ms - candidate.read_ms < self._least_ms:
            return None  # whatever its value says, which need not be read
        idle_ms = self._now_ms - used_ms(candidate)
        if self._unused_ms is not None and idle_ms >= self._unused_ms:
            return Verdict("unused-patterns", DELETE, f"not used for {days(idle_ms)}")
        if self._failed_ms is None or idle_ms < self._failed_ms:
            return None
        if why := self._failed(candidate):
            return Verdict("failed-patterns", DELETE, f"{why}, not used for {days(idle_ms)}")
        return None

    def _failed(self, candidate: Candidate) -> str | None:
        if candidate.facts is not None and not candidate.facts.active:
            return "switched off"
        executions, success = tried(candidate)
        if executions and success is not None and self._below and success < self._below:
            return f"succeeded in {success:.0%} of {executions:,}"
        return None

    def _decision(self, candidate: Candidate) -> Verdict | None:
        age_ms = self._now_ms - made_ms(candidate)
        if self._old_ms is None or age_ms < self._old_ms or candidate.archived:
            return None
        return Verdict("old-decisions", ARCHIVE, f"decided {days(age_ms)} ago")
