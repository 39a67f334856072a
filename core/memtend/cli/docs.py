"""Writes docs/cli.md and docs/errors.md from the code: `python -m memtend.cli.docs [FOLDER]`.

The pages are committed, so that they can be read anywhere; a test says when they are out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import typer

from memtend.cli.app import app
from memtend.errors import MemtendError

DOCS = Path("docs")
# By name: the library imports no tasks. None of these classes needs Prefect.
HOMES_OF_ERRORS = ("memtend.errors", "memtend.cli.errors", "memtend_tasks.errors")
SHARED = (("--store", "URL"), ("--agent", "NAME"), ("--json", None))
_MADE = "<!-- Made by `make docs` from the code. Change the code, not this page. -->"
_CLI = """
# The command line

{made}

- **Output.** What was asked for goes to standard output, talk to standard error. `--json` makes the
  output JSON, also that of an error, which is one object on standard error.
- **Exit status.** 0, or the code of the [error](errors.md).
- **Previews.** What deletes or imports in bulk shows its plan and stops; `--apply` carries it out.
- **Where.** `--store`, else `MEMTEND_STORE_URL`, else `memtend.db` in the working folder. Only
  `memtend init` makes a store. An address with a password belongs in the environment.
- **Who.** `--agent` or `MEMTEND_AGENT` act as that agent, with its grants. With neither, the owner
  of the store acts and may do everything. Upkeep as an agent takes an `admin` grant on `**`.
- **Colour and progress** appear on terminals only; `NO_COLOR` is respected.

| command | does |
|---|---|
"""
_ERRORS = """
# Errors

{made}

Every error has a code that never changes. It is the exit status of the command, and `error.code` in
Python and JSON. *Transient* errors may pass by themselves: the same call can succeed later, and
the flows retry only those. Status 1 is an error nobody foresaw, 2 wrong usage of the command.

| code | error | says | what to do | transient |
|---|---|---|---|---|
"""


def cli_page() -> str:
    """Every command, as the program itself describes it."""
    found = list(commands())
    lines = [_CLI.strip().format(made=_MADE)]
    lines += [f"| [`{path}`](#{_anchor(path)}) | {_first(command)} |" for path, command in found]
    for path, command in found:
        lines += ["", *_section(path, command)]
    return "\n".join(lines) + "\n"


def errors_page() -> str:
    """Every error, by code."""
    lines = [_ERRORS.strip().format(made=_MADE)]
    for kind in sorted(errors(), key=lambda kind: kind.code):
        cells = (
            str(kind.code), f"`{kind.__name__}`", kind.message, kind.hint,
            "yes" if kind.transient else "",
        )  # fmt: skip
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def commands() -> Iterator[tuple[str, Any]]:
    """Paths such as `memtend audit show` with their commands, in the order of the help."""
    root: Any = typer.main.get_command(app)
    for name, command in root.commands.items():
        if getattr(command, "invoke_without_command", True):
            yield f"memtend {name}", command
        for below, deeper in getattr(command, "commands", {}).items():
            yield f"memtend {name} {below}", deeper


def errors() -> Iterator[type[MemtendError]]:
    """Ours and those of the tasks; not what somebody else may have derived."""
    for name in HOMES_OF_ERRORS:
        import_module(name)
    waiting = MemtendError.__subclasses__()
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith(HOMES_OF_ERRORS):
            yield kind


def _section(path: str, command: Any) -> Iterator[str]:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    shared = [one.opts[0] for one in options if (one.opts[0], one.metavar) in SHARED]
    own = [*arguments, *(one for one in options if one.opts[0] not in shared)]
    usage = [path, *(one.metavar or one.name.upper() for one in arguments)]
    yield f"## {path}"
    yield ""
    yield f"`{' '.join([*usage, '[OPTIONS]'])}`"
    yield ""
    yield command.help
    if own:
        yield from ("", "| | |", "|---|---|")
        yield from (f"| `{_shown(one)}` | {_told(one)} |" for one in own)
    if shared:
        yield from ("", f"Also takes {', '.join(f'`{name}`' for name in shared)}.")


def _shown(one: Any) -> str:
    metavar = one.metavar or one.name.upper()
    if one.param_type_name == "argument":
        return str(metavar)
    return str(one.opts[0] if one.is_flag else f"{one.opts[0]} {metavar}")


def _told(one: Any) -> str:
    default = one.default
    plain = isinstance(default, str | int) and not isinstance(default, bool) and default != ""
    text = f"{one.help or ''}" + (f" Default: `{default}`." if plain else "")
    return text.replace("|", "\\|").strip()


def _first(command: Any) -> str:
    return str(command.help).split("\n\n")[0]


def _anchor(path: str) -> str:
    return path.replace(" ", "-")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS
    for name, page in (("cli.md", cli_page()), ("errors.md", errors_page())):
        (folder / name).write_text(page)
        typer.echo(f"wrote {folder / name}")


if __name__ == "__main__":
    main()
