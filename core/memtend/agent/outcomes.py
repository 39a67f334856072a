"""How tasks end: recorded by agents, read back, and counted for those who want a strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from memtend.agent.base import AgentBase, since_ms
from memtend.drafting import Put
from memtend.errors import InvalidValue, LimitExceeded
from memtend.limits import SCAN_MAX
from memtend.limits_learning import OUTCOME_AHEAD_MS
from memtend.model.layout import OUTCOMES, outcome_place

if TYPE_CHECKING:
    from datetime import datetime

    from memtend.agent.outcome import Outcome
    from memtend.agent.recommending import Advice

RESULTS = ("success", "failure", "partial_success", "timeout", "conflict")


def result_of(text: str) -> str:
    """One of the five ways in which a task ends."""
    if text not in RESULTS:
        raise InvalidValue(name="result", why=f"{text!r} is not one of {', '.join(RESULTS)}")
    return text


class Outcomes(AgentBase):
    def record_task_outcome(
        self,
        task_type: str,
        result: str,
        *,
        score: float | None = None,
        duration_s: float | None = None,
        cost: float | None = None,
        resources: Mapping[str, float] | None = None,
        context: Mapping[str, Any] | None = None,
        strategy: str | None = None,
        propensity: float | None = None,
        agents: Sequence[str] = (),
        task: str | None = None,
        outcome_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        at: datetime | None = None,
    ) -> str:
        """Say how a task ended and return the id of that. The same `outcome_id` is the same one.

        `strategy` is the one that was followed, `propensity` the probability with which it had been
        chosen; learning needs both. What is not known is left out, never guessed. `at` is when it
        ended, if not just now.
        """
        outcome = self.task_outcome(
            task_type, result, score=score, duration_s=duration_s, cost=cost, resources=resources,
            context=context, strategy=strategy, propensity=propensity, agents=agents, task=task,
            outcome_id=outcome_id, metadata=metadata, at=at,
        )  # fmt: skip
        self.keep_outcomes([outcome])
        return outcome.outcome_id

    def task_outcome(
        self,
        task_type: str,
        result: str,
        *,
        score: float | None = None,
        duration_s: float | None = None,
        cost: float | None = None,
        resources: Mapping[str, float] | None = None,
        context: Mapping[str, Any] | None = None,
        strategy: str | None = None,
        propensity: float | None = None,
        agents: Sequence[str] = (),
        task: str | None = None,
        outcome_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        at: datetime | None = None,
    ) -> Outcome:
        """The same, only checked: `keep_outcomes` records it."""
        from memtend.agent.outcome import make_outcome  # noqa: PLC0415

        now_ms = self.clock.now_ms()
        at_ms = since_ms(at, "at") if at else now_ms
        if at_ms > now_ms + OUTCOME_AHEAD_MS:
            raise InvalidValue(name="at", why=f"{at:%Y-%m-%d %H:%M} is still to come")
        return make_outcome(
            outcome_id=outcome_id or self.clock.new_id(), swarm_id=self.swarm, task_type=task_type,
            agents_involved=tuple(agents) or (self.agent,), outcome_type=result_of(result),
            success_score=score, duration_s=duration_s, cost=cost,
            resource_usage=dict(resources or {}), context=dict(context or {}), strategy=strategy,
            propensity=propensity, task=task, recorded_by=self.agent, session=self.session,
            timestamp_ms=at_ms, metadata=dict(metadata or {}),
        )  # fmt: skip

    def keep_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Record what `task_outcome` made, in one transaction."""
        labels = self._labels("outcome")
        self._write([Put(*outcome_place(one.outcome_id), one.stored(), labels) for one in outcomes])

    def outcomes(
        self,
        task_type: str | None = None,
        *,
        swarm: str | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> list[Outcome]:
        """How tasks of this swarm ended, latest first; `swarm="*"` takes those of every swarm."""
        from memtend.agent.outcome import read_outcomes  # noqa: PLC0415

        if not 0 < limit <= SCAN_MAX:
            raise LimitExceeded(what="limit", name=OUTCOMES, actual=limit, limit=SCAN_MAX)
        wanted, least_ms = swarm or self.swarm, since_ms(since)
        found = [
            one
            for one in read_outcomes(self.memory)
            if wanted in ("*", one.swarm_id)
            and task_type in (None, one.task_type)
            and one.at_ms >= least_ms
        ]
        return sorted(found, key=lambda one: (one.at_ms, one.outcome_id), reverse=True)[:limit]

    def get_coordination_strategy(
        self,
        context: Mapping[str, Any] | None = None,
        *,
        task_type: str | None = None,
        explain: bool = False,
    ) -> Advice:
        """Which strategy to follow here, by the model in use, and how sure that is.

        `explain` adds reasons and past cases, in three times the time. Until something is learned,
        the answer says just that. Nothing is recorded: give what it says back with the outcome
        (`Advice.for_outcome`). Raises `InvalidValue` for what is no task type or context.
        """
        from memtend.agent.recommending import advise  # noqa: PLC0415

        if self._recommender is not None:
            return advise(self.memory, self._recommender, task_type, context, "for this context")
        from memtend.agent.learned import LiveRecommender  # noqa: PLC0415

        live = LiveRecommender(self.memory.store, self.swarm, self.agent, explain=explain)
        return advise(self.memory, live, task_type, context, "here")

    coordination_strategy = get_coordination_strategy
