"""What a swarm knows together: knowledge, learned patterns, coordination.

Each author's word has a place of its own, so agents that share at the same time lose nothing of
each other, here or on another machine; a reader sees who said what, when, and how sure they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from memtend.agent.base import AgentBase, share_of, since_ms
from memtend.errors import LimitExceeded
from memtend.limits import SCAN_MAX
from memtend.model.layout import PATTERNS, pattern_place

if TYPE_CHECKING:
    from datetime import datetime

    from memtend.agent.models import Coordination, Knowledge, LearnedPattern


class Shared(AgentBase):
    def share_knowledge(
        self,
        knowledge_type: str,
        knowledge: Any,
        *,
        topic: str | None = None,
        confidence: float | None = None,
        evidence: Sequence[str] = (),
        tags: Sequence[str] = (),
    ) -> None:
        """Tell the swarm. It replaces what this agent said before of this type and topic only."""
        sure = share_of(confidence, "confidence")
        value = {
            "knowledge_type": knowledge_type, "topic": topic, "knowledge": knowledge,
            "confidence": sure, "evidence": list(evidence), **self._stamp(),
        }  # fmt: skip
        place = self.layout.knowledge(knowledge_type, self.agent, topic)
        self._put(place, value, self._labels("knowledge", sure, tags))

    def knowledge(
        self,
        knowledge_type: str | None = None,
        *,
        topic: str | None = None,
        author: str | None = None,
        confidence_min: float | None = None,
        since: datetime | None = None,
        text: str | None = None,
        limit: int = 100,
    ) -> list[Knowledge]:
        """What the swarm knows, latest first. Unknown confidence is below any `confidence_min`."""
        from memtend.agent.common import known  # noqa: PLC0415

        _bounded(limit)
        return known(
            self.memory, self.layout, knowledge_type, topic=topic, author=author,
            confidence_min=confidence_min, since_ms=since_ms(since), text=text, limit=limit,
        )  # fmt: skip

    def learn_pattern(
        self,
        pattern_type: str,
        *,
        conditions: Mapping[str, Any],
        actions: Sequence[Any],
        description: str = "",
        success_rate: float | None = None,
        confidence: float | None = None,
        learned_from: Sequence[str] = (),
        pattern_id: str | None = None,
    ) -> str:
        """Keep a pattern for every swarm of the store and return its id; the same id replaces it.

        `learned_from` are the ids of the outcomes that it rests on.
        """
        number = pattern_id or self.clock.new_id()
        sure = share_of(confidence, "confidence")
        value = {
            "pattern_id": number, "pattern_type": pattern_type, "description": description,
            "conditions": dict(conditions), "actions": list(actions),
            "success_rate": share_of(success_rate, "success_rate"), "confidence": sure,
            "learned_from": list(learned_from), **self._stamp(),
        }  # fmt: skip
        self._put(pattern_place(number), value, self._labels("pattern", sure))
        return number

    def patterns(
        self,
        pattern_type: str | None = None,
        *,
        confidence_min: float | None = None,
        limit: int = 100,
    ) -> list[LearnedPattern]:
        """Learned patterns, the most confident first; unknown confidence comes last."""
        from memtend.agent.models import LearnedPattern  # noqa: PLC0415
        from memtend.agent.reading import pages  # noqa: PLC0415

        _bounded(limit)
        known = [
            LearnedPattern.of(value, key)
            for key, value in pages(self.memory, PATTERNS)
            if isinstance(value, dict)
        ]
        found = [
            one
            for one in known
            if pattern_type in (None, one.pattern_type)
            and (confidence_min is None or _sure(one.confidence) >= confidence_min)
        ]
        found.sort(key=lambda one: (-_sure(one.confidence), one.pattern_id))
        return found[:limit]

    def record_coordination(self, coordination_type: str, data: Any) -> None:
        """Tell the swarm what holds just now, such as a checkpoint; it lives for an hour."""
        value = {"coordination_type": coordination_type, "data": data, **self._stamp()}
        place = self.layout.coordination(coordination_type, self.agent)
        self._put(place, value, self._labels("coordination"))

    def coordination(self, coordination_type: str | None = None) -> list[Coordination]:
        """What the agents said of the moment, each in its own words, latest first."""
        from memtend.agent.common import coordination_of  # noqa: PLC0415

        found = coordination_of(self.memory, self.layout, coordination_type)
        return sorted(found, key=lambda one: one.at, reverse=True)


def _sure(confidence: float | None) -> float:
    return -1 if confidence is None else confidence


def _bounded(limit: int) -> None:
    if not 0 < limit <= SCAN_MAX:
        raise LimitExceeded(what="limit", name="the list", actual=limit, limit=SCAN_MAX)
