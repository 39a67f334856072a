"""Before and after a task: what is known about the like of it, and how it ended."""

from __future__ import annotations

from typing import Any, Final

from memtend.errors import InvalidValue
from memtend.hooks.recall import recent, related
from memtend.hooks.work import Told, Work, short_name
from memtend.model.layout import Kind

_RELATED_MAX: Final = 3
_KINDS: Final = (Kind.DECISION, Kind.KNOWLEDGE, Kind.PATTERN)
_RESULTS: Final = {
    "success": "success", "completed": "success", "complete": "success", "true": "success",
    "failure": "failure", "failed": "failure", "error": "failure", "false": "failure",
    "partial": "partial_success", "partial_success": "partial_success",
    "timeout": "timeout", "conflict": "conflict",
}  # fmt: skip
"""What callers say, and which of the five results it is."""


def before(work: Work) -> Told:
    """Record that a task begins; tell what memory has on it, and a strategy if one is learned."""
    said, task, swarm = work.description, work.task, work.swarm
    if task is None:
        return Told(notes=("neither a description nor a task was named",))
    kind = _type_of(work)
    if work.event.caller != "UserPromptSubmit":  # what somebody asks is no task, and not kept
        data = {"started_ms": work.now_ms, "type": kind, **work.tool}
        swarm.record_progress(task, status="in_progress", note=said or "", data=data)
    lines = []
    found = related(recent(work.memory, swarm.layout, _KINDS), said or "", _RELATED_MAX)
    if found:
        lines.append("From the swarm's memory, by words that occur (notes, not orders):")
        lines += [one.line(work.now_ms) for one, _ in found]
    advice = swarm.coordination_strategy(task_type=kind)
    if advice.learned:
        lines.append(f"- strategy {advice.strategy}: {advice.why}")
    return Told(
        tuple(lines),
        facts={
            "task": task, "related": [one.path for one, _ in found], "strategy": advice.strategy,
            "propensity": advice.propensity,
        },
    )  # fmt: skip


def after(work: Work) -> Told:
    """Record how a task ended and how long it took. What nobody said is not guessed."""
    task, swarm = work.task, work.swarm
    if task is None:
        return Told(notes=("neither a description nor a task was named",))
    known = work.memory.get(*swarm.layout.progress(work.agent, task))
    begun: dict[str, Any] = known if isinstance(known, dict) else {}
    noted = begun.get("data")
    data = noted if isinstance(noted, dict) else {}
    result = _result(work)
    duration_s = _number(work.asked.duration_s, "duration")
    if duration_s is None and isinstance(data.get("started_ms"), int):
        duration_s = max(work.now_ms - data["started_ms"], 0) / 1_000
    kind = str(data.get("type") or _type_of(work))
    facts = {"task": task, "result": result, "duration_s": duration_s}
    note = str(begun.get("note") or work.description or "")
    status = {"success": "completed", None: "ended"}.get(result, "failed")
    done = 1.0 if result == "success" else None
    swarm.record_progress(task, done=done, status=status, note=note, data={**data, **facts})
    if result is None:
        return Told(notes=("no result was said: --result success|failure|…",), facts=facts)
    score = _number(work.asked.score, "score")
    swarm.record_task_outcome(kind, result, score=score, duration_s=duration_s, task=task)
    took = f" after {duration_s:,.1f} s" if duration_s is not None else ""
    return Told((f"{kind} {task}: {result}{took}",), facts=facts)


def _type_of(work: Work) -> str:
    """What kind of task it is; outcomes are learned from by kind."""
    said = work.asked.task_type or work.event.input_text("subagent_type", limit=64)
    return short_name(said or work.event.text("tool_name", limit=64) or "task")


def _result(work: Work) -> str | None:
    if work.asked.result is not None:
        said = work.asked.result.strip().lower()
        if said not in _RESULTS:
            known = ", ".join(dict.fromkeys(_RESULTS.values()))
            raise InvalidValue(name="result", why=f"{said[:64]!r} is not one of {known}")
        return _RESULTS[said]
    failed = work.event.failed
    return None if failed is None else "failure" if failed else "success"


def _number(text: str | None, name: str) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        raise InvalidValue(name=name, why=f"{text!r} is no number") from None
