"""`hook …`: what an agent tool's hook system calls. The work is in `cli.hook_run`.

The commands here exist for `--help` and the documentation: `cli.main` goes straight to `hook_run`,
because loading the whole tree takes as long as the hook itself.
"""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer

from memtend.cli.adding import flowing
from memtend.cli.hook_args import COMMON, HOOKS, OPTIONS
from memtend.cli.hook_run import run

hook = typer.Typer(
    help="Called by an agent tool's hooks, with the event as JSON on standard input. "
    "Never fails the caller's work: errors are notes, the status is 0 without --strict.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    for name, (own, help_text) in HOOKS.items():
        hook.command(name, help=flowing(help_text))(_command(name, (*own, *COMMON)))
    app.add_typer(hook, name="hook", rich_help_panel="Agents")


def _command(name: str, options: tuple[str, ...]) -> Any:
    """A function with these options, as the table has them."""

    def command(**given: Any) -> None:
        arguments = []
        for option in OPTIONS:
            value = given.get(option.name)
            if value is True:
                arguments.append(option.flags[0])
            elif value is not None and value is not False:
                arguments.append(f"{option.flags[0]}={value}")
        raise typer.Exit(run(name, arguments))

    parameters = [_parameter(option.name) for option in OPTIONS if option.name in options]
    command.__name__ = name.replace("-", "_")
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return command


def _parameter(name: str) -> inspect.Parameter:
    option = next(one for one in OPTIONS if one.name == name)
    kind: Any = bool if not option.metavar else (str | None)
    more: dict[str, Any] = {"metavar": option.metavar} if option.metavar else {}
    shown = Annotated[kind, typer.Option(*option.flags, help=option.help, **more)]
    default = False if not option.metavar else None
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=shown
    )
