"""What was known when a strategy had to be chosen: the situation of a task.

An outcome is recorded when its task has ended, so the choice is put as long before as the task
took. History is what had been recorded by then, and nothing of what came later.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from memtend.learn.fields import hour_of, weekday_of
from memtend.model.ended import Ended

NEVER: Final = frozenset(
    {"result", "outcome", "outcome_type", "success", "succeeded", "success_score", "score",
     "reward", "regret", "failed", "failure", "duration", "duration_s", "duration_ms", "took",
     "took_ms", "execution_time", "elapsed", "elapsed_s", "elapsed_ms", "finished_at", "ended_at",
     "completed_at", "end_time", "error", "errors", "exception", "exit_code", "resource_usage",
     "cost", "total_cost", "strategy", "propensity"}
)  # fmt: skip
"""Names of what is known only afterwards, or is itself what is to be chosen."""
RECENT: Final = 20
_STRATEGIES: Final = 8
_TASKS: Final = 1_000

Situation = dict[str, Any]


class History:
    """How the last so many tasks of a type went, and those of each frequent strategy."""

    def __init__(self, strategies: Iterable[str] = ()) -> None:
        self._tasks: dict[str, deque[float]] = {}
        self._strategies = {name: deque[float](maxlen=RECENT) for name in strategies}

    def facts(self, task_type: str) -> dict[str, Any]:
        """Shares of success, by name; without what has no outcome yet."""
        told = {f"with {name}": _mean(last) for name, last in self._strategies.items() if last}
        if last := self._tasks.get(task_type):
            told["of the task type"] = _mean(last)
        return told

    def observe(self, row: Ended) -> None:
        """An outcome that has been recorded."""
        self._tasks.setdefault(row.task_type, deque(maxlen=RECENT)).append(row.success)
        if row.strategy in self._strategies:
            self._strategies[row.strategy].append(row.success)

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "tasks": {name: list(self._tasks[name]) for name in list(self._tasks)[-_TASKS:]},
            "strategies": {name: list(last) for name, last in self._strategies.items()},
        }

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> History:
        found = cls(told["strategies"])
        for name, last in told["tasks"].items():
            found._tasks[name] = deque(last, maxlen=RECENT)
        for name, last in told["strategies"].items():
            found._strategies[name].extend(last)
        return found


def situation(
    task_type: str,
    context: Mapping[str, Any],
    *,
    agents: Sequence[str] = (),
    at_ms: float | None = None,
    history: Mapping[str, Any] | None = None,
) -> Situation:
    """What an encoder reads. What an agent says about a task lies below `context`, so that it
    cannot pass for anything else."""
    found: Situation = {"context": context}
    if task_type:
        found["task_type"] = task_type
    if agents:
        found["agents"] = agents
    if at_ms is not None:
        found["hour"], found["weekday"] = hour_of(at_ms), weekday_of(at_ms)
    if history:
        found["history"] = history
    return found


def situations_of(rows: Sequence[Ended]) -> tuple[list[Situation], History]:
    """That of each outcome, and the history after all of them."""
    counts = Counter(str(row.strategy) for row in rows)
    history = History(sorted(sorted(counts), key=lambda name: -counts[name])[:_STRATEGIES])
    decided = [decided_ms(row) for row in rows]
    events = [(at, 0, number) for number, at in enumerate(decided)]
    events += [(float(row.at_ms), 1, number) for number, row in enumerate(rows)]
    found: list[Situation] = [{}] * len(rows)
    for at, recorded, number in sorted(events):
        row = rows[number]
        if recorded:
            history.observe(row)
        else:
            facts = history.facts(row.task_type)
            found[number] = situation(
                row.task_type, row.context, agents=row.agents, at_ms=at, history=facts
            )
    return found, history


def decided_ms(row: Ended) -> float:
    """When its strategy had to be chosen."""
    return row.at_ms - (row.duration_s or 0) * 1_000


def _mean(last: deque[float]) -> float:
    return round(sum(last) / len(last), 6)
