"""How a command fails: message and hint on stderr, the error's code as exit status.

With `--json` the error is one JSON object on stderr. Nothing here prints a traceback; the hook for
the unexpected does so only with `--verbose`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, NamedTuple

import typer

from memtend.cli.show import styled
from memtend.errors import InvalidSettings, MemtendError

UNEXPECTED, USAGE = 1, 2
# Typer carries its own copy of click; the class is reached through what it exports.
Misused: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
BUG = "Run again with --verbose before the command for the full trace, and report it."


class Failure(NamedTuple):
    """What is told of an error. `name` is its class, for programs that tell errors apart."""

    code: int
    name: str
    message: str
    hint: str = ""
    transient: bool = False


def failure_of(error: BaseException) -> Failure:
    """What to tell of any error."""
    if isinstance(error, MemtendError):
        name = type(error).__name__
        return Failure(error.code, name, str(error), error.hint, error.transient)
    if isinstance(error, Misused):
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "memtend"
        hint = f"`{path} --help` says what it takes."
        return Failure(USAGE, "Usage", error.format_message(), hint)
    if isinstance(error, OSError):
        place = f": {error.filename}" if error.filename else ""
        hint = "Check the path and the rights on it."
        return Failure(UNEXPECTED, type(error).__name__, f"{error.strerror or error}{place}", hint)
    if (settings := _as_settings(error)) is not None:
        return failure_of(settings)
    return Failure(UNEXPECTED, type(error).__name__, f"{type(error).__name__}: {error}", BUG)


def _as_settings(error: BaseException) -> InvalidSettings | None:
    """An option or variable that a model refused. Its value is not told: it may be a secret."""
    from pydantic import ValidationError  # noqa: PLC0415

    if not isinstance(error, ValidationError):
        return None
    first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(map(str, first["loc"])) or error.title
    return InvalidSettings(name=name, why=first["msg"])


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether `--json` was asked for; known even when the rest could not be parsed."""
    plain = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in plain


def tell(failure: Failure, *, as_json: bool) -> int:
    """Print it on stderr and return the exit status."""
    if as_json:
        typer.echo(json.dumps({"error": failure._asdict()}, ensure_ascii=False), err=True)
        return failure.code
    label = styled(f"error [{failure.code}]:", fg="red", bold=True)
    typer.echo(f"{label} {failure.message}", err=True)
    if failure.hint:
        typer.echo(f"{styled('hint:', fg='cyan')} {failure.hint}", err=True)
    return failure.code


def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The last resort (`sys.excepthook`): what nobody foresaw."""
    arguments = sys.argv[1:]
    if "--verbose" in arguments:
        sys.__excepthook__(kind, error, trace)
        return
    tell(failure_of(error), as_json=wants_json(arguments))
