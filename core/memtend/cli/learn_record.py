"""`learn record`: how tasks ended, one on the command line or many from a file."""

from __future__ import annotations

import json as jsonlib
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from memtend.cli import show
from memtend.cli.opening import open_memory
from memtend.cli.options import Agent, Json, Store
from memtend.cli.values import STDIN, context_of
from memtend.errors import InvalidValue, LimitExceeded
from memtend.limits_learning import OUTCOMES_MAX

_WHO: Final = "operator"
_SWARM: Final = "default"
_RESULTS: Final = "success, failure, partial_success, timeout or conflict"


def record(
    task_type: Annotated[
        str | None, typer.Argument(metavar="[TASK_TYPE", help="Such as build.", show_default=False)
    ] = None,
    result: Annotated[
        str | None, typer.Argument(metavar="RESULT]", help=f"{_RESULTS}.", show_default=False)
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            "--file",
            metavar="FILE",
            help="JSON lines, one outcome each; - reads them from standard input.",
        ),
    ] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", help="The one that was followed.")
    ] = None,
    propensity: Annotated[
        float | None,
        typer.Option(
            "--propensity", min=0, max=1, help="The probability with which it had been chosen."
        ),
    ] = None,
    context: Annotated[
        str | None, typer.Option("--context", metavar="JSON", help="What was known of the task.")
    ] = None,
    score: Annotated[
        float | None, typer.Option("--score", min=0, max=1, help="How well it succeeded.")
    ] = None,
    duration: Annotated[
        float | None, typer.Option("--duration", metavar="SECONDS", min=0, help="How long it took.")
    ] = None,
    cost: Annotated[float | None, typer.Option("--cost", min=0, help="What it cost.")] = None,
    task: Annotated[str | None, typer.Option("--task", help="Its name.")] = None,
    outcome_id: Annotated[
        str | None, typer.Option("--id", help="The same id again is the same outcome.")
    ] = None,
    swarm: Annotated[str, typer.Option("--swarm", help="Whose task it was.")] = _SWARM,
    agent: Agent = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Record how a task ended, or many tasks.

    Give TASK_TYPE and RESULT, or --file. A line of the file is an object with task_type, result
    and, as far as known, strategy, propensity, context, score, duration_s, cost, resources, agents,
    task, outcome_id, metadata, at (ISO time with a zone), agent, swarm. All lines are checked
    before any is kept; an error names the line.
    """
    from memtend.agent.recording import record_outcomes  # noqa: PLC0415

    alone = {
        "task_type": task_type, "result": result, "strategy": strategy, "propensity": propensity,
        "context": None if context is None else context_of(context),
        "score": score, "duration_s": duration, "cost": cost, "task": task,
        "outcome_id": outcome_id,
    }  # fmt: skip
    if (file is None) == (task_type is None or result is None):
        raise typer.BadParameter("give TASK_TYPE and RESULT, or --file, and not both")
    told = [alone] if file is None else _lines(file)
    where = "outcome" if file is None else "line"
    with open_memory(store, agent) as memory, show.waiting(f"recording {len(told):,}"):
        ids = record_outcomes(memory, told, memory.agent or _WHO, swarm, where=where)
    if json:
        show.emit({"operation": "learn record", "recorded": len(ids), "outcomes": ids})
    else:
        show.done(f"{len(ids):,} {'outcome' if len(ids) == 1 else 'outcomes'} recorded")


def _lines(file: str) -> list[dict[str, Any]]:
    data = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    try:
        lines = data.decode().rstrip().split("\n") if data.strip() else []
    except UnicodeDecodeError as error:
        why = f"it is not UTF-8 at byte {error.start}"
        raise InvalidValue(name=file, why=why) from None
    if len(lines) > OUTCOMES_MAX:
        raise LimitExceeded(what="lines", name=file, actual=len(lines), limit=OUTCOMES_MAX)
    return [_object(number, line) for number, line in enumerate(lines, 1)]


def _object(number: int, line: str) -> dict[str, Any]:
    try:
        found = jsonlib.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(name=f"line {number}", why=f"it is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise InvalidValue(name=f"line {number}", why="it is no JSON object")
    return found
