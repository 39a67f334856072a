"""`learn fit|evaluate|models|promote|rollback`: models of strategies, from outcomes to use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from memtend.cli import show
from memtend.cli.learn_ask import Scenario
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store

if TYPE_CHECKING:
    from memtend.learn.evaluation import Evaluation
    from memtend.learn.report import FitReport
    from memtend.model.learned import ModelEntry

DIGITS: Final = 12
Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="Its id as listed, or the beginning of it.", show_default=False
    ),
]
OrModel = Annotated[
    str | None,
    typer.Argument(
        metavar="[MODEL]", help="Its id as listed, or the beginning of it.", show_default=False
    ),
]


def fit(
    scenario: Scenario = "default",
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Else the one of the policy file.")
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude-writer", metavar="AGENT", help="Learn nothing from it. Repeatable."
        ),
    ] = None,
    promote: Annotated[
        bool, typer.Option("--promote", help="Put it in use at once, if the gate lets it pass.")
    ] = False,
    news: Annotated[
        bool,
        typer.Option(
            "--if-news",
            help="Only where enough is new, or something has drifted; without the writers that "
            "the newest model goes without, too.",
        ),
    ] = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Learn from the recorded outcomes which strategy works where; a candidate, not yet in use.

    The gate compares what was learned with what is followed today, on outcomes that it was not
    learned from. Where it is not surely as good, the model names today's strategy everywhere.
    """
    from memtend.serving.learning import FIT_STEPS  # noqa: PLC0415

    steps: list[None] = []
    with open_operator(store) as services:
        with show.counting("learning", FIT_STEPS, lambda: len(steps)):
            learn = services.refit if news else services.fit_strategy
            report = learn(scenario, seed, exclude or (), step=lambda: steps.append(None))
        if report and promote and report.adopted:
            entry = services.promote(report.model.model_id)
            report = report.model_copy(update={"model": entry})
    if report is None:
        if json:
            show.emit(None)
        else:
            show.done("nothing is new that is worth another fit")
    elif json:
        show.emit_model(report)
    else:
        _print_fit(report)
        for name in exclude or ():
            if name not in report.model.excluded:
                show.note(f"{show.on_line(name)} has recorded none of these outcomes")


def evaluate(
    model: OrModel = None,
    scenario: Scenario = "default",
    store: Store = None,
    json: Json = False,
) -> None:
    """Say what a model is worth, against what is followed today and the best single strategy.

    Without MODEL, the one in use, else the newest. On what has come since it was fitted, where
    that is enough; else on the latest outcomes, by a model fitted on those before.
    """
    with open_operator(store) as services, show.waiting("judging"):
        found = services.evaluate(model, scenario)
    if json:
        show.emit_model(found)
        return
    show.facts((("model", found.model), ("scenario", found.scenario)))
    if found.value is None:
        show.say(found.fact)
    else:
        print_value(found.value)


def models(
    model: OrModel = None,
    scenario: Annotated[
        str | None, typer.Option("--scenario", metavar="NAME", help="Only of this one.")
    ] = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """List the models of strategies, the newest first; with MODEL, show its card."""
    with open_operator(store) as services:
        if model is not None:
            entry = services.find_model(model)
            if json:
                show.emit_model(entry)
            else:
                typer.echo(show.clean(services.model_card(entry.model_id)))
            return
        found = services.models(scenario)
    if json:
        show.emit(found)
    elif found:
        heads = ("model", "scenario", "is", "made", "outcomes", "why")
        show.table(heads, [_row(one) for one in found], right=(4,))
    else:
        show.say("no model was fitted yet: memtend learn fit")


def promote(
    model: Model,
    force: Annotated[
        str,
        typer.Option(
            "--force", metavar="WHY", help="Though the gate did not let it pass; the reason."
        ),
    ] = "",
    store: Store = None,
    json: Json = False,
) -> None:
    """Put a model in use. Running agents ask it within seconds.

    A model that the gate did not let pass is refused. It would name today's strategy and try
    others now and then, which is worth something where few outcomes are known; --force does it.
    """
    with open_operator(store) as services:
        entry = services.promote(model, forced=force)
    if json:
        show.emit_model(entry)
    else:
        show.done(f"{entry.model_id[:DIGITS]} is in use for {entry.scenario}")
        show.say(f"take it back: memtend learn rollback --scenario {entry.scenario}")


def rollback(
    scenario: Scenario = "default",
    why: Annotated[str, typer.Option("--why", help="For the audit trail.")] = "",
    store: Store = None,
    json: Json = False,
) -> None:
    """Take the model in use back; what was in use when it was fitted is so again, or none."""
    with open_operator(store) as services:
        entry = services.rollback(scenario, why=why)
    if json:
        show.emit(entry)
    elif entry is None:
        show.done(f"no model is in use for {scenario} any more")
    else:
        show.done(f"{entry.model_id[:DIGITS]} is in use for {scenario} again")


def print_value(value: Evaluation) -> None:
    """What it is worth, by type of task."""
    from memtend.learn.evaluation import shares, told  # noqa: PLC0415

    show.say(f"judged on {value.outcomes:,} outcomes ({value.judged_on}),")
    show.say("by what a task costs as the objective counts, with 90 % intervals:")
    rows = [
        ("the model", told(value.cost), ""),
        (f"{value.incumbent.strategy} (incumbent)", told(value.incumbent.cost),
         shares(value.incumbent.saving, value.incumbent.cost)),
        (f"{value.single.strategy} (best single)", told(value.single.cost),
         shares(value.single.saving, value.single.cost)),
    ]  # fmt: skip
    cells = [(show.on_line(name), cost, saving) for name, cost, saving in rows]
    show.table(("with", "costs", "the model saves"), cells, right=(1, 2))
    if value.off is not None:
        show.say(f"predicted success is off by {100 * value.off:.0f} points on average")
    tasks = [
        (show.on_line(one.task_type), f"{one.outcomes:,}", shares(one.saving, one.cost))
        for one in value.by_task
    ]
    if tasks:
        show.table(("in tasks of type", "outcomes", "the model saves"), tasks, right=(1, 2))


def _print_fit(report: FitReport) -> None:
    model = report.model
    show.facts(
        (
            ("model", model.model_id),
            ("scenario", report.scenario),
            ("learned from", f"{report.outcomes:,} outcomes"),
            ("left out", ", ".join(f"{n:,} {why}" for why, n in report.left_out.items())),
            ("gate", show.on_line(f"{'passed' if report.adopted else 'not passed'}: {model.why}")),
            ("is", str(model.status)),
            ("took", f"{report.seconds:.1f} s"),
        )
    )
    for suspect in report.suspects:
        show.note(show.on_line(suspect.fact))
        show.say("  go without: memtend learn fit --exclude-writer NAME")
    if report.judged is not None:
        print_value(report.judged)
    if model.promoted_at is None:
        show.say(f"Nothing is in use yet. Read it: memtend learn models {model.model_id[:DIGITS]}")
        if report.adopted:
            show.say(f"put it in use: memtend learn promote {model.model_id[:DIGITS]}")


def _row(one: ModelEntry) -> tuple[str, ...]:
    return (
        one.model_id[:DIGITS], one.scenario, str(one.status), show.moment(one.made_at),
        f"{one.rows:,}", show.on_line(one.why),
    )  # fmt: skip
