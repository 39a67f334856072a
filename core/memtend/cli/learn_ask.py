"""`learn recommend|insights|scenarios`: what was learned, for whoever asks. Only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from memtend.cli import show
from memtend.cli.opening import open_memory, open_operator
from memtend.cli.options import Agent, Json, Store
from memtend.cli.values import context_of

if TYPE_CHECKING:
    from memtend.agent.recommending import Advice

_SWARM: Final = "default"
Scenario = Annotated[
    str,
    typer.Option("--scenario", metavar="NAME", help="As `memtend learn scenarios` lists it."),
]


def recommend(
    task_type: Annotated[
        str, typer.Argument(metavar="TASK_TYPE", help="Such as build.", show_default=False)
    ],
    context: Annotated[
        str, typer.Argument(metavar="[JSON]", help="What is known of the task.", show_default=False)
    ] = "{}",
    swarm: Annotated[str, typer.Option("--swarm", help="Whose task it is.")] = _SWARM,
    agent: Agent = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Say which strategy to follow, with what probability of success, and why.

    Now and then something else than the best known is named, to learn from. Give strategy and
    propensity back with the outcome.
    """
    from memtend.agent.learned import LiveRecommender  # noqa: PLC0415
    from memtend.agent.recommending import advise  # noqa: PLC0415

    known = context_of(context)
    with open_memory(store, agent) as memory:
        live = LiveRecommender(memory.store, swarm, memory.agent, explain=True)
        advice = advise(memory, live, task_type, known, "here")
    if json:
        show.emit_model(advice)
    else:
        _print_advice(advice)


def _print_advice(advice: Advice) -> None:
    success = ""
    if advice.expected_success is not None:
        low, high = advice.success_low or 0.0, advice.success_high or 1.0
        success = f"{advice.expected_success:.0%} [{low:.0%}, {high:.0%}]"
    show.facts(
        (
            ("strategy", show.on_line(advice.strategy or "none")),
            ("propensity", "" if advice.propensity is None else f"{advice.propensity:.4g}"),
            ("success", success),
            ("instead", show.on_line(", ".join(advice.alternatives))),
            ("model", advice.model or ""),
            ("why", show.on_line(advice.why)),
        )
    )
    if advice.reasons:
        reasons = [
            (show.on_line(one.field), show.on_line(one.value), f"{one.effect:+.3f}")
            for one in advice.reasons
        ]
        show.table(("field", "value", "speaks for it"), reasons, right=(2,))
    if advice.cases:
        cases = [
            (one.case, show.on_line(one.strategy), f"{one.success:.2g}", f"{one.alike:.0%}")
            for one in advice.cases
        ]
        show.table(("a case like it", "followed", "success", "alike"), cases, right=(2, 3))


def insights(scenario: Scenario = "default", store: Store = None, json: Json = False) -> None:
    """Say what the outcomes say: which strategy works where, what moves, who tells otherwise.

    Found in the earlier half of the outcomes and measured in the later one; nothing is told that
    chance explains.
    """
    with open_operator(store) as services, show.waiting("looking at outcomes"):
        found, trends, suspects, drift = services.findings(scenario)
    moving = [one for one in trends if one.direction != "steady"]
    if json:
        show.emit({"insights": found, "trends": moving, "suspects": suspects, "drift": drift})
        return
    for one in found:
        typer.echo(f"- {show.on_line(one.fact)}")
        typer.echo(f"  {show.on_line(one.sure)}")
    for trend in moving:
        typer.echo(f"- {trend.direction}: {show.on_line(trend.fact)}")
    for suspect in suspects:
        typer.echo(f"- {show.on_line(suspect.fact)}")
        show.note("a model can go without a writer: memtend learn fit --exclude-writer NAME")
    if drift is not None and drift.found:
        typer.echo(f"- since the model was fitted: {show.on_line(drift.fact)}")
    if not (found or moving or suspects or (drift and drift.found)):
        show.say("the outcomes say nothing beyond chance")


def scenarios(store: Store = None, json: Json = False) -> None:
    """List what a model can be learned for: all tasks, one type of task, one swarm."""
    with open_operator(store) as services:
        found = services.scenarios()
    if json:
        show.emit(found)
        return
    rows = [
        (
            one.name,
            show.on_line(one.task_type or one.swarm or ""),
            f"{one.outcomes:,}",
            f"{one.strategies:,}",
            "yes" if one.enough else "no",
            (one.model or "")[:12],
        )
        for one in found
    ]
    heads = ("scenario", "of", "outcomes", "strategies", "enough", "model in use")
    show.table(heads, rows, right=(2, 3))
