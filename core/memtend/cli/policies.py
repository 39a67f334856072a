"""`policies show|set|check`: what holds for which paths."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store

if TYPE_CHECKING:
    from memtend.model.policyfile import PolicyFile

policies = typer.Typer(help="Retention policies.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(metavar="FILE", help="A YAML file.", show_default=False)]


def register(app: typer.Typer) -> None:
    for command in (show_, set_, check):
        add(policies, command)
    app.add_typer(policies, name="policies", rich_help_panel="Upkeep")


def show_(
    yaml: Annotated[bool, typer.Option("--yaml", help="The whole file, to edit and set.")] = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """What holds in the store now, most specific pattern first."""
    with open_operator(store) as services:
        file = services.memory.config.file
    if json:
        show.emit_model(file)
    elif yaml:
        from memtend.policies import dump_policies  # noqa: PLC0415

        typer.echo(dump_policies(file), nl=False)
    else:
        _print_rules(file)


def set_(file: File, store: Store = None, json: Json = False) -> None:
    """Let a file hold from now on.

    Deadlines of records that are there already do not change.
    """
    from memtend.policies import load_policies  # noqa: PLC0415

    loaded = load_policies(file)
    with open_operator(store) as services:
        services.memory.config.set_policies(loaded, services.memory.agent or "owner")
    if json:
        show.emit_model(loaded)
        return
    show.done(f"{len(loaded.policies.rules)} rules hold now")
    for text in loaded.notes:
        show.note(text)


def check(file: File, json: Json = False) -> None:
    """Read a file and show what it would mean. No store is touched."""
    from memtend.policies import load_policies  # noqa: PLC0415

    loaded = load_policies(file)
    if json:
        show.emit_model(loaded)
        return
    _print_rules(loaded)
    for text in loaded.notes:
        show.note(text)
    show.done(f"{file} can be used")


def _print_rules(file: PolicyFile) -> None:
    from memtend.durations import show_duration  # noqa: PLC0415

    rows = [
        (
            pattern.text,
            "permanent" if rule.ttl_ms is None else show_duration(rule.ttl_ms),
            rule.cleanup.value,
            rule.reading.value,
            f"from {show.size(rule.compression.threshold_bytes)}"
            if rule.compression.enabled
            else "no",
            "yes" if rule.refresh_on_read else "",
            "layout" if file.policies.is_default(pattern.text) else "",
        )
        for pattern, rule in file.policies.ordered
    ]
    show.table(("pattern", "lives", "cleaned", "read as", "compressed", "slides", "from"), rows)
