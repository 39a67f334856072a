"""`export`: records for others to read, as JSON lines, AML trees or Parquet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store
from memtend.errors import NotWhole

if TYPE_CHECKING:
    from memtend.export.report import ExportReport

PANEL = "Upkeep"


def register(app: typer.Typer) -> None:
    add(app, export, panel=PANEL)


def export(
    dest: Annotated[
        str,
        typer.Argument(
            metavar="DEST",
            help="For jsonl a file that ends in .jsonl, .jsonl.gz or .jsonl.zst, else a folder; "
            "a path or an fsspec URL such as s3://bucket/memory.",
        ),
    ],
    format_: Annotated[
        str,
        typer.Option("--format", metavar="FORMAT", help="jsonl, aml-1.2.0, aml-2.0.0 or parquet."),
    ] = "jsonl",
    namespace: Annotated[
        str, typer.Option("--namespace", metavar="PATTERN", help="Only what is below.")
    ] = "**",
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="NAME", help="Only records of this agent.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help="Only records of this kind.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="An earlier export may be there; it goes.")
    ] = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Write what is in the store where others can read it. The store is only read.

    Everything is of one instant, while writers go on. What was cut off is never taken for a whole
    export: it has another name, or lacks its last line or file. The report says what is left out
    and why.
    """
    from memtend.export.report import Tally  # noqa: PLC0415

    tally = Tally()
    with open_operator(store) as services:
        plan = services.plan_export(
            dest, format_, namespace, agent=agent, kind=kind, replace=replace
        )
        with show.counting("exporting", plan.records, lambda: tally.seen):
            report = services.apply_export(plan, tally)
        url = services.store.url
    if json:
        show.emit_model(report)
    else:
        _tell(report)
    if report.damaged:
        raise NotWhole(what=url, damage=report.damaged)


def _tell(report: ExportReport) -> None:
    show.facts(
        (
            ("exported", report.url),
            ("as", report.format.value),
            ("records", f"{report.records:,}"),
            *((f"  {name}", f"{count:,}") for name, count in report.counts.items()),
            ("files", f"{report.files:,}" if report.files > 1 else ""),
            ("written", show.size(report.written_bytes)),
            ("as of", f"change {report.seq:,}"),
            ("took", f"{report.seconds:.1f} s"),
        )
    )
    for left in report.left_out:
        names = ", ".join(left.names[:3]) + (", …" if left.count > 3 else "")
        show.note(show.clean(f"{left.count:,} left out: {left.why} ({names})"))
    for field, count in report.losses.items():
        show.note(show.clean(f"{count:,} times the version cannot hold {field}"))
