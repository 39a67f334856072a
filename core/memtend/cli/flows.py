"""`serve`, `demo`: the parts that run on Prefect, each a program of its own.

The library never imports Prefect, so these hand the process over to the flows' own modules.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import Annotated, NoReturn

import typer

from memtend.cli.adding import add
from memtend.cli.errors import ExtraMissing
from memtend.cli.options import Store, Target

PANEL = "Prefect"
FLOWS = "memtend_flows"


def register(app: typer.Typer) -> None:
    for command in (serve, demo):
        add(app, command, panel=PANEL)


def serve(
    store: Store = None,
    target: Target = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on.", show_default=True)
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option("--port", min=1, max=65_535, help="Port of server and UI.", show_default=True),
    ] = 4200,
    home: Annotated[
        str | None, typer.Option("--home", metavar="FOLDER", help="Folder for Prefect's own files.")
    ] = None,
) -> None:
    """Start the Prefect server, its UI and every schedule.

    Runs until it is stopped with Ctrl-C or a signal.
    """
    chosen = {"--store": store, "--backup": target, "--host": host, "--port": port, "--home": home}
    become("serve", [f"{name}={value}" for name, value in chosen.items() if value is not None])


def demo(
    folder: Annotated[
        str,
        typer.Option("--folder", help="Emptied first, if it is a demo's.", show_default=True),
    ] = "demo",
) -> None:
    """Run the main job over a sample of agent memory.

    Nothing but this machine is needed.
    """
    become("demo", [f"--folder={folder}"])


def become(program: str, arguments: list[str]) -> NoReturn:
    """Replace this process, so that signals and the exit status are the program's own."""
    if find_spec(FLOWS) is None or find_spec("prefect") is None:
        raise ExtraMissing(what=f"memtend {program}", extra="flows")
    command = [sys.executable, "-m", f"{FLOWS}.{program}", *arguments]
    os.execv(sys.executable, command)  # noqa: S606 — our own module, no shell
