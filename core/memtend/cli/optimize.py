"""`optimize`: the same memory in fewer bytes; a plan first, the deed with `--apply`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Apply, Json, Store

if TYPE_CHECKING:
    from memtend.optimize.plan import OptimizePlan
    from memtend.optimize.report import OptimizeReport

Steps = Annotated[
    list[str] | None,
    typer.Option(
        "--step",
        metavar="STEP",
        help="Only this one; may be given several times. Of a routine run: duplicates, "
        "dictionaries, compression, garbage, statistics, space. Only by name: similar (records "
        "that say nearly the same), damaged (takes away rows that cannot be read, once their bytes "
        "are kept elsewhere), rewrite (writes the whole database again; nobody writes meanwhile).",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    add(app, optimize, panel="Upkeep")


def optimize(
    step: Steps = None, apply: Apply = False, store: Store = None, json: Json = False
) -> None:
    """Say what could be stored in fewer bytes, and do it.

    Prints the plan and stops. With --apply, carries it out and prints the report.

    What a reader is shown stays as it is. Records that say the same are only reported here.
    """
    with open_operator(store) as services:
        with show.waiting("looking for what could be smaller"):
            plan = services.plan_optimize(step)
        if not apply:
            _preview(plan, json)
            return
        with show.waiting("optimizing"):
            report = services.apply_optimize(plan)
    _report(report, json)


def _preview(plan: OptimizePlan, json: bool) -> None:
    if json:
        show.emit_model(plan)
        return
    rows = [
        (
            one.name.value,
            "yes" if one.worth else "no",
            f"{one.rows:,}" if one.rows else "",
            show.size(one.saves_bytes) if one.saves_bytes else "",
            one.reason,
        )
        for one in plan.steps
    ]
    show.table(("step", "would do", "rows", "would save", "why"), rows, right=(2, 3))
    told = [
        (f"{one.namespace}/{one.key}", show.size(one.size_bytes), one.reason)
        for one in plan.decisions[: show.ROWS_SHOWN]
    ]
    if told:
        show.table(("record", "size", "why"), told, right=(1,))
    if len(plan.decisions) > show.ROWS_SHOWN:
        show.say(f"and {len(plan.decisions) - show.ROWS_SHOWN:,} more; --json lists all")
    if plan.to_do():
        show.say("Nothing was changed. Carry it out with --apply.")


def _report(report: OptimizeReport, json: bool) -> None:
    if json:
        show.emit_model(report)
        return
    rows = [
        (
            one.name.value,
            f"{one.rows:,}",
            show.size(one.saved_bytes),
            f"{one.longest_lock_ms:.0f} ms",
            one.error or "; ".join(one.notes),
        )
        for one in report.steps
    ]
    if rows:
        columns = ("step", "rows", "saved", "longest lock", "note")
        show.table(columns, rows, right=(1, 2, 3))
    if any(one.error for one in report.steps):
        show.say("A step did not come to its end; running again does what is left.")
    elif rows:
        show.done(f"optimized in {report.seconds:.1f} s, {show.size(report.bytes_freed)} saved")
    else:
        show.done("nothing to do")
