"""`claude-flow sweep`: the cleanup that claude-flow's own database never gets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.options import Apply, Json
from memtend.limits import SWEEP_SHARE_MAX

if TYPE_CHECKING:
    from memtend.migrate.foreign_sweep import ForeignSweepPlan

claude_flow = typer.Typer(help="Databases of claude-flow, where they are.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    add(claude_flow, sweep)
    app.add_typer(claude_flow, name="claude-flow", rich_help_panel="Upkeep")


def sweep(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A .swarm/memory.db, or the folder with it.", show_default=False
        ),
    ],
    delete_share_max: Annotated[
        float,
        typer.Option(
            "--delete-share-max", min=0, max=1,
            help="Refuse to delete more than 1,000 rows when they are more than this share.",
        ),
    ] = SWEEP_SHARE_MAX,
    apply: Apply = False,
    json: Json = False,
) -> None:  # fmt: skip
    """Delete the rows of claude-flow's own database that have outlived their deadline.

    Prints the plan and stops; that changes nothing. With --apply, deletes in short transactions
    and prints the report. Its program may run meanwhile.
    """
    from memtend.clock import SystemClock  # noqa: PLC0415
    from memtend.migrate.foreign_sweep import (  # noqa: PLC0415
        apply_foreign_sweep,
        clear_foreign_sweep,
        plan_foreign_sweep,
    )

    clock = SystemClock()
    with show.waiting(f"reading {file}"):
        plan = plan_foreign_sweep(file, clock)
    if not apply:
        _preview(plan, json)
        return
    cleared = clear_foreign_sweep(plan, clock, delete_share_max)
    with show.waiting(f"deleting {len(plan.decisions):,} rows"):
        report = apply_foreign_sweep(cleared, clock)
    show.removal(report, json, freed="freed inside")


def _preview(plan: ForeignSweepPlan, json: bool) -> None:
    if json:
        show.emit_model(plan)
        return
    if plan.decisions:
        rows = [
            (show.clean(d.namespace), show.clean(d.key), show.size(d.size_bytes), d.reason)
            for d in plan.decisions[: show.ROWS_SHOWN]
        ]
        show.table(("namespace", "key", "size", "why"), rows, right=(2,))
    if plan.expired > show.ROWS_SHOWN:
        show.say(f"and {plan.expired - show.ROWS_SHOWN:,} more")
    share = f"{plan.expired:,} of {plan.total:,} rows ({plan.expired_share:.0%})"
    show.say(f"would delete {share} of {plan.path}")
    if plan.undated:
        show.note(f"{plan.undated:,} rows have a deadline that nobody can read, and stay")
    if plan.expired:
        show.say("Nothing was changed. Carry it out with --apply.")
