"""`report`: one page about the store, for people."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Judged, Store

PANEL = "The store"
DEFAULT = "memtend-report.html"


def register(app: typer.Typer) -> None:
    add(app, report, panel=PANEL)


def report(
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A file, a folder or an fsspec URL. An earlier report goes, anything else stays.",
        ),
    ] = DEFAULT,
    target: Judged = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Write one page about the store: how it is, how it came to be so, what comes.

    Health and what to do, alerts, growth and a forecast, what ends when, who holds what, what was
    pruned and missed, backups and drills. One HTML file that needs no network and no script;
    it names namespaces and agents, and shows no value. The store is only read.
    """
    place = os.path.join(output, DEFAULT) if os.path.isdir(output) else output
    with open_operator(store) as services, show.waiting("looking at the store"):
        written = services.write_report(place, target)
    if json:
        show.emit_model(written)
        return
    score = "unknown" if written.score is None else f"{written.score} of 100, {written.level}"
    show.facts(
        (
            ("report", written.path),
            ("size", show.size(written.bytes)),
            ("score", score),
            ("records", f"{written.records:,}"),
            ("alerts", "unknown" if written.alerts is None else f"{written.alerts:,} standing"),
        )
    )
