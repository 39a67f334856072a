"""`import`: what an older tool remembered, planned, and brought in with `--apply`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Apply, Json, Store

if TYPE_CHECKING:
    from pydantic import BaseModel

    from memtend.migrate.importing import ImportPlan, ImportReport

PANEL = "Upkeep"


def register(app: typer.Typer) -> None:
    add(app, import_, panel=PANEL)


class _Count:
    """How many items a pass has read so far."""

    def __init__(self) -> None:
        self.items = 0

    def __call__(self, more: int) -> None:
        self.items += more


def import_(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="The folder or file of the old memory.")
    ],
    kind: Annotated[
        str | None, typer.Option("--kind", help="What it is; else what its files look like.")
    ] = None,
    zone: Annotated[
        str, typer.Option("--zone", help="Where times without a zone were written.")
    ] = "UTC",
    allow_pickle: Annotated[
        bool,
        typer.Option(
            "--allow-pickle-archive",
            help="Also read pickled items, by a reader that runs nothing of them.",
        ),
    ] = False,
    apply: Apply = False,
    quarantine: Annotated[
        str | None,
        typer.Option(
            "--quarantine",
            metavar="URL",
            help="A folder or fsspec URL for what cannot be read; else one beside the plans.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Also write the result here, as JSON."),
    ] = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Bring in the memory of an older tool.

    The source is only read. Prints the plan and stops. With --apply, writes and prints the report.

    Importing twice changes nothing; what somebody changed here since is never overwritten.
    """
    with open_operator(store) as services:
        read = _Count()
        with show.reading(f"reading {source}", "items", lambda: read.items):
            plan = services.plan_import(source, kind, zone, allow_pickle=allow_pickle, seen=read)
        _keep(plan, report)  # before anything is written: the file may be nowhere to be made
        if apply:
            passed = _Count()
            with show.counting("importing", plan.total, lambda: passed.items):
                done = services.apply_import(plan, quarantine_url=quarantine, seen=passed)
    if apply:
        _keep(done, report)
        _show_report(done, json)
    else:
        _show_plan(plan, json)
    if report is not None:
        show.done(f"written to {report}")


def _keep(model: BaseModel, file: Path | None) -> None:
    if file is not None:
        file.write_text(model.model_dump_json(indent=2, exclude={"pins"}) + "\n", encoding="utf-8")


def _show_plan(plan: ImportPlan, json: bool) -> None:
    if json:
        # What could not be read is named by its hash; its bytes stay in the source.
        show.emit_model(plan, exclude={"pins": True, "quarantined": {"__all__": {"data"}}})
        return
    rows = ((show.clean(name), f"{count:,}") for name, count in plan.counts.items())
    show.table(("kind and version", "items"), rows, right=(1,))
    trouble = [(f"{one.namespace}/{one.key}", one.reason) for one in plan.refusals]
    trouble += [(show.clean(one.path), show.clean(one.reason)) for one in plan.quarantined]
    if trouble:
        show.table(("not imported", "why"), trouble[: show.ROWS_SHOWN])
    if (more := plan.refused + plan.quarantined_count - show.ROWS_SHOWN) > 0:
        show.say(f"and {more:,} more")
    for one in plan.passed_over[: show.ROWS_SHOWN]:
        show.note(f"passed over {show.clean(one.path)}: {show.clean(one.reason)}")
    if (more := plan.passed_over_count - show.ROWS_SHOWN) > 0:
        show.note(f"passed over {more:,} more")
    did = ", ".join(f"{action} {count:,}" for action, count in plan.actions.items())
    show.say(f"{plan.kind}: would {did or 'do nothing'}; unreadable {plan.quarantined_count:,}")
    if plan.naive_times:
        show.note(f"{plan.naive_times:,} times without a zone are read as {plan.zone} (--zone)")
    if plan.expired:
        show.note(f"{plan.expired:,} have expired and stay out")
    if plan.writes:
        show.say("Nothing was changed. Carry it out with --apply.")


def _show_report(report: ImportReport, json: bool) -> None:
    if json:
        show.emit_model(report)
        return
    counts = (
        ("unchanged", report.unchanged),
        ("refused", report.refused),
        ("unreadable", report.quarantined),
        ("expired", report.expired),
        ("changed since the plan", report.changed_since),
    )
    show.facts(
        (
            ("written", f"{report.written:,}"),
            *((name, f"{count:,}" if count else "") for name, count in counts),
            ("took", f"{report.seconds:.1f} s"),
        )
    )
    for text in report.notes:
        show.note(show.clean(text))
