"""`policies show|set|check|from`: what holds for which paths."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store

if TYPE_CHECKING:
    from memtend.model.policy import Policy
    from memtend.model.policyfile import PolicyFile

policies = typer.Typer(help="Retention policies.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(metavar="FILE", help="A YAML file.", show_default=False)]


def register(app: typer.Typer) -> None:
    for command in (show_, set_, check, from_):
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


def from_(
    source: Annotated[
        Path,
        typer.Argument(metavar="SOURCE", help="A folder, or a file of its configuration."),
    ],
    kind: Annotated[
        str | None, typer.Option("--kind", help="What it is; else what the source holds.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write a new file; else print it.")
    ] = None,
    json: Json = False,
) -> None:
    """Translate the retention of an older tool into a policy file.

    What was clamped, read otherwise or has no equivalent is told, and stands in the file as
    comments. No store is touched, and the source is only read.
    """
    from memtend.migrate.policies_from import translate  # noqa: PLC0415

    made = translate(source, kind)
    if out is not None:
        with out.open("x", encoding="utf-8") as stream:
            stream.write(made.text)
    if json:
        show.emit({"kind": made.kind, "notes": made.notes, "policies": made.file})
        return
    if out is None:
        typer.echo(made.text, nl=False)
    for text in made.notes:
        show.note(show.clean(text))
    show.done(f"{len(made.file.policies.rules)} rules translated from {made.kind}")


def _lives(rule: Policy) -> str:
    from memtend.durations import show_duration, show_ttl  # noqa: PLC0415

    own = show_ttl(rule.ttl_ms)
    if rule.canary is None:
        return own
    return f"{own}; {show_duration(rule.canary.ttl_ms)} on {rule.canary.share:.0%}"


def _print_rules(file: PolicyFile) -> None:
    rows = [
        (
            pattern.text,
            _lives(rule),
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
