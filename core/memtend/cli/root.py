"""The root of a command tree, and the one place where errors become exit statuses."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, Protocol

import typer
from typer.core import TyperGroup

from memtend.cli.failing import BUG, Misused, failure_of, hook, tell, wants_json
from memtend.errors import MemtendError

_SETTINGS: Final = (
    "Settings: MEMTEND_STORE_URL, MEMTEND_BACKUP_URL, MEMTEND_BACKUP_KEY_FILE, "
    "MEMTEND_ARCHIVE_URL, MEMTEND_PLANS_URL, MEMTEND_MODELS_URL, MEMTEND_AGENT, "
    "MEMTEND_DURABILITY, MEMTEND_KEY_PATH, MEMTEND_MIGRATE, MEMTEND_ALERT_URLS_FILE. "
    "The exit status is the code of the error."
)


class Part(Protocol):
    """A module with commands."""

    def register(self, app: typer.Typer) -> None: ...


class Root(TyperGroup):
    """Tells every foreseen error the same way, under whatever starts the program."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> Any:
        arguments = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        try:
            status = super().main(arguments, *more, **extra)
        except (MemtendError, Misused, OSError, ValueError) as error:
            failure = failure_of(error)
            if failure.hint == BUG:
                raise  # a mistake of ours, not of the caller: `hook` tells it
            sys.exit(tell(failure, as_json=wants_json(arguments)))
        sys.exit(status if isinstance(status, int) else 0)


def _version(wanted: bool) -> None:
    if wanted:
        from memtend import __version__  # noqa: PLC0415

        typer.echo(f"memtend {__version__}")
        raise typer.Exit


def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show the full trace of an unexpected error.")
    ] = False,
) -> None:
    """Tends the memory of AI agents: keeps it, expires it, backs it up, says how it is."""


def tree(parts: Iterable[Part]) -> typer.Typer:
    """The program with the commands of these parts."""
    app = typer.Typer(
        name="memtend",
        cls=Root,
        help="Tends the memory of AI agents: keeps it, expires it, backs it up, says how it is.",
        epilog=_SETTINGS,
        no_args_is_help=True,
        # Boxes and colour for people; loading them costs more than everything else in --help.
        rich_markup_mode="rich" if sys.stdout.isatty() else None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(root)
    for part in parts:
        part.register(app)
    return app


def start(app: typer.Typer) -> None:
    """Run with the arguments of this process. An unexpected error tells its name, not its trace."""
    command = typer.main.get_command(app)
    sys.excepthook = hook
    command.main(prog_name="memtend")
