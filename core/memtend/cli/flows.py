"""`serve`, `demo`, `deploy`, `blocks init`: the parts on Prefect, each a program of its own.

The library never imports Prefect, so these hand the process over to the flows' own modules.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, NoReturn

import typer

from memtend.cli.adding import add
from memtend.cli.errors import ExtraMissing
from memtend.cli.options import Json, Store, Target

PANEL = "Prefect"
FLOWS = "memtend_flows"
blocks_app = typer.Typer(
    help="Secret blocks: addresses with passwords, and keys, under a name.", no_args_is_help=True
)

Plan = Annotated[bool, typer.Option("--plan", help="Show what would change, and change nothing.")]


def register(app: typer.Typer) -> None:
    for command in (serve, demo, deploy):
        add(app, command, panel=PANEL)
    add(blocks_app, init)
    app.add_typer(blocks_app, name="blocks", rich_help_panel=PANEL)


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
    become("serve", _given(chosen))


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


def deploy(
    store: Annotated[
        str,
        typer.Option("--store", metavar="NAME", help="Its Secret block, or an address without "
                     "password. Its deployments end in -NAME.", show_default=True),
    ] = "default",
    target: Annotated[
        str,
        typer.Option("--target", metavar="NAME", help="The same for its backups.",
                     show_default=True),
    ] = "default",
    archive: Annotated[
        str,
        typer.Option("--archive", metavar="NAME", help="The same for its archive.",
                     show_default=True),
    ] = "default",
    notify: Annotated[
        str | None,
        typer.Option("--notify", metavar="TYPE/NAME", help="A notification block of the server, "
                     "such as slack-webhook/ops; none tells nobody. Without it, those who hear go "
                     "on hearing."),
    ] = None,
    urgent: Annotated[
        str | None,
        typer.Option("--urgent", metavar="TYPE/NAME", help="Another one, for what cannot wait."),
    ] = None,
    pool: Annotated[
        str,
        typer.Option("--pool", metavar="NAME", help="The work pool; made where there is none.",
                     show_default=True),
    ] = "memtend",
    folder: Annotated[
        str | None,
        typer.Option("--folder", metavar="FOLDER", help="Where the workers execute runs: relative "
                     "addresses begin there. Else MEMTEND_HOME, else this folder."),
    ] = None,
    plan: Plan = False,
    json: Json = False,
) -> None:  # fmt: skip
    """Put every flow, its schedules and the automations on the server of PREFECT_API_URL.

    Run again it changes nothing that is as it should be; what a person has paused stays paused. It
    deletes only what it has made itself and needs no longer. Workers of the pool execute the runs:
    `prefect worker start --pool memtend`.
    """
    chosen = {"--store": store, "--target": target, "--archive": archive, "--notify": notify,
              "--urgent": urgent, "--pool": pool, "--folder": folder}  # fmt: skip
    become("deploying", [*_given(chosen), *_flags(plan=plan, json=json)], "deploy")


def init(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Such as prod.", show_default=False)
    ],
    what: Annotated[
        list[str] | None,
        typer.Option("--what", metavar="KIND", help="store, backup, archive, export, key or peer; "
                     "repeatable. Else what is given."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE", help="Lines such as MEMTEND_STORE_URL=…; else the "
                     "environment, else you are asked, and nothing is shown."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also what holds another value.")
    ] = False,
    plan: Plan = False,
    json: Json = False,
) -> None:  # fmt: skip
    """Make the Secret blocks memtend-store-NAME, memtend-backup-NAME … on the Prefect server.

    Forms and schedules then take NAME where they take an address. Values come from
    MEMTEND_STORE_URL, MEMTEND_BACKUP_URL, MEMTEND_ARCHIVE_URL, MEMTEND_EXPORT_URL,
    MEMTEND_PEER_URL and MEMTEND_BACKUP_KEY, in the environment or in a file, or from a prompt; they
    are never an argument and never printed.
    """
    kinds = [f"--what={kind}" for kind in what or ()]
    given = [name, *kinds, *_given({"--from": source})]
    become("blocks", [*given, *_flags(replace=replace, plan=plan, json=json)], "blocks init")


def _given(chosen: Mapping[str, object]) -> list[str]:
    return [f"{name}={value}" for name, value in chosen.items() if value is not None]


def _flags(**chosen: bool) -> list[str]:
    return [f"--{name}" for name, value in chosen.items() if value]


def become(program: str, arguments: list[str], command: str | None = None) -> NoReturn:
    """Replace this process, so that signals and the exit status are the program's own."""
    require(command or program)
    line = [sys.executable, "-m", f"{FLOWS}.{program}", *arguments]
    os.execv(sys.executable, line)  # noqa: S606 — our own module, no shell


def require(command: str) -> None:
    """Raises `ExtraMissing` where the flows are not installed."""
    if find_spec(FLOWS) is None or find_spec("prefect") is None:
        raise ExtraMissing(what=f"memtend {command}", extra="flows")
