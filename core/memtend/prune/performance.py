"""Strategy *performance*: what was tried and does not work.

Unknown is not bad: without a count of executions neither success nor confidence is judged. A
decision is judged by its outcome alone, in either dialect, and by what it says, not by how large
its numbers are: every agent measures on a scale of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.prune.known import measures
from memtend.prune.strategy import ARCHIVE, DELETE, Verdict
from memtend.upcast.facts import NOT_AGAIN, NOT_IN_USE

if TYPE_CHECKING:
    from memtend.model.candidate import Candidate
    from memtend.model.prunepolicy import PrunePolicy
    from memtend.prune.strategy import Judge


class Performance:
    name = "performance"

    def __init__(self, policy: PrunePolicy) -> None:
        self._success_below = policy.success_below
        self._confidence_below = policy.confidence_below
        self._executions_min = policy.executions_min
        self._solutions = policy.obsolete_solutions
        self._decisions = policy.negative_decisions

    def judge_of(self, kind: str) -> Judge:
        if kind == "decision":
            return self._decision
        return self._solution if kind == "solution" and self._solutions else self._measured

    def _measured(self, candidate: Candidate) -> Verdict | None:
        executions, success, sure, _ = measures(candidate)
        if executions is None or executions < self._executions_min:
            return None
        low = self._success_below
        if low is not None and success is not None and success < low:
            why = f"succeeded in {success:.1%} of {executions:,}, less than {low:.0%}"
            return Verdict("low-success", DELETE, why)
        low = self._confidence_below
        if low is not None and sure is not None and sure < low:
            why = f"confidence {sure:.2g} after {executions:,} executions, less than {low:g}"
            return Verdict("low-confidence", DELETE, why)
        return None

    def _solution(self, candidate: Candidate) -> Verdict | None:
        facts = candidate.facts
        if facts is not None and facts.may_say(NOT_IN_USE):
            if facts.worked is False:
                return Verdict("obsolete-solutions", DELETE, "it says that it did not work")
            if not facts.active:
                return Verdict("obsolete-solutions", DELETE, "it no longer applies: switched off")
        return None if candidate.success_count is None else self._measured(candidate)

    def _decision(self, candidate: Candidate) -> Verdict | None:
        facts = candidate.facts
        if not self._decisions or facts is None or candidate.archived:
            return None
        if not facts.may_say(NOT_AGAIN) or facts.would_repeat is not False:
            return None
        return Verdict("negative-decisions", ARCHIVE, "its outcome: would not be decided so again")
