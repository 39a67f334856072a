"""Putting a function into the command tree; its docstring is the help."""

from __future__ import annotations

from collections.abc import Callable
from inspect import cleandoc

import typer


def add(
    app: typer.Typer,
    command: Callable[..., None],
    name: str | None = None,
    panel: str | None = None,
) -> None:
    """Named after the function, without the `_` that keeps it apart from a builtin."""
    name = name or command.__name__.rstrip("_")
    app.command(name, help=flowing(command.__doc__ or ""), rich_help_panel=panel)(command)


def refuse_above(context: typer.Context) -> None:
    """Options before the name of a command below would be lost, and a lost --store is another
    store."""
    below = context.invoked_subcommand
    for one in context.command.params:
        if str(context.get_parameter_source(str(one.name))).endswith("COMMANDLINE"):
            why = f"`{context.command_path} {below}` has options of its own, behind its name"
            raise typer.BadParameter(why, ctx=context, param_hint=one.opts[0])


def flowing(text: str) -> str:
    """Paragraphs as one line each, so that they wrap where the terminal does."""
    return "\n\n".join(" ".join(part.split()) for part in cleandoc(text).split("\n\n"))
