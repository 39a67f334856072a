"""Decisions: a history. Each has an id of its own, so that no decision replaces another one.

How a decision turned out may be said later, by its agent or by others; each one's word is kept
beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from memtend.agent.base import AgentBase, share_of, since_ms
from memtend.agent.outcomes import result_of
from memtend.errors import LimitExceeded, NotFound
from memtend.limits import SCAN_MAX

if TYPE_CHECKING:
    from datetime import datetime

    from memtend.agent.models import Decision


class Decisions(AgentBase):
    def record_decision(
        self,
        decision_type: str,
        decision: Any,
        *,
        rationale: str = "",
        alternatives: Sequence[Any] = (),
        context: Mapping[str, Any] | None = None,
        confidence: float | None = None,
        task: str | None = None,
        tags: Sequence[str] = (),
        decision_id: str | None = None,
    ) -> str:
        """Keep a decision and return its id. The same type and `decision_id` is the same one."""
        number = decision_id or self.clock.new_id()
        place = self.layout.decision(self.agent, decision_type, number)
        sure = share_of(confidence, "confidence")
        value = {
            "decision_id": number, "decision_type": decision_type, "decision": decision,
            "rationale": rationale, "alternatives": list(alternatives),
            "context": dict(context or {}), "confidence": sure, "task": task, **self._stamp(),
        }  # fmt: skip
        self._put(place, value, self._labels("decision", sure, tags))
        return number

    def record_decision_outcome(
        self,
        decision_id: str,
        result: str,
        *,
        agent: str | None = None,
        score: float | None = None,
        lessons: Sequence[str] = (),
        would_repeat: bool | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Say how a decision turned out; saying it again replaces one's own word only.

        Raises `NotFound` where the decision is gone or was made by another agent than `agent`.
        """
        from memtend.agent.history import decisions_of  # noqa: PLC0415

        who = agent or self.agent
        if all(
            one.decision_id != decision_id for one in decisions_of(self.memory, self.layout, who)
        ):
            raise NotFound(namespace=self.layout.decisions(who), key=decision_id)
        value = {
            "decision_id": decision_id, "result": result_of(result),
            "score": share_of(score, "score"), "lessons": list(lessons),
            "would_repeat": would_repeat, "data": dict(data or {}), **self._stamp(),
        }  # fmt: skip
        place = self.layout.decision_outcome(who, decision_id, self.agent)
        self._put(place, value, self._labels("decision-outcome"))

    def decisions(
        self,
        decision_type: str | None = None,
        *,
        agent: str | None = None,
        since: datetime | None = None,
        text: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[Decision]:
        """An agent's decisions, latest first; `agent="*"` are those of the whole swarm.

        `text` are words that must all occur. The next page comes after the id of the last one;
        raises `NotFound` where that is gone or does not fit.
        """
        from memtend.agent.history import decided  # noqa: PLC0415

        if not 0 < limit <= SCAN_MAX:
            raise LimitExceeded(what="limit", name="decisions", actual=limit, limit=SCAN_MAX)
        return decided(
            self.memory, self.layout, agent or self.agent, decision_type=decision_type,
            since_ms=since_ms(since), text=text, after=after, limit=limit,
        )  # fmt: skip
