"""The demo's last page: what happened, what was found, and where everything is."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import which

from pydantic import BaseModel
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from memtend.health.report import HealthReport, Level
from memtend.model.plan import Report
from memtend.prune.report import PruneReport
from memtend.report.facts import ReportWritten
from memtend_tasks.sentence import sentence

UNDO_CHARS = 12
"""Of the digest of a plan: as many as it takes."""

_MARK = {Level.OK: "[green]✓[/]", Level.WARNING: "[yellow]![/]", Level.CRITICAL: "[red]✗[/]"}


def show_summary(
    talk: Console,
    folder: Path,
    imported: Mapping[str, Report],
    done: Mapping[str, BaseModel],
    advice: Mapping[str, str],
) -> None:
    talk.print()
    talk.print(_steps(imported, done))
    for report in done.values():
        if isinstance(report, HealthReport):
            talk.print(_checks(report))
            if report.opportunities:
                talk.print(_savings(report))
    talk.print(_lessons(advice))
    talk.print(Panel(_places(folder, done), title="Where everything is", border_style="dim"))


def _steps(imported: Mapping[str, Report], done: Mapping[str, BaseModel]) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, title="One turn of the maintenance cycle", title_style="bold"
    )
    table.add_column("step", style="bold cyan", no_wrap=True)
    table.add_column("result")
    for name, report in imported.items():
        table.add_row(f"import {name}", sentence(report))
    for name, step in done.items():
        table.add_row(name, sentence(step))
    return table


def _checks(report: HealthReport) -> Table:
    title = f"Health: score {report.score} of 100"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_style="bold")
    for column in ("", "check", "fact", "what to do"):
        table.add_column(column)
    for check in report.checks:
        table.add_row(_MARK[check.level], check.name, escape(check.fact), escape(check.hint))
    return table


def _savings(report: HealthReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="What could be saved", title_style="bold")
    for column in ("opportunity", "fact", "command"):
        table.add_column(column)
    for one in report.opportunities:
        table.add_row(one.name, escape(one.fact), escape(one.command))
    return table


def _lessons(advice: Mapping[str, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="What was learned", title_style="bold")
    table.add_column("which strategy for", style="bold cyan")
    table.add_column("is recommended")
    for asked, told in advice.items():
        table.add_row(escape(asked), escape(told))
    return table


def _places(folder: Path, done: Mapping[str, BaseModel]) -> str:
    shown = _nearby(folder)
    pruned, report = done.get("prune"), done.get("report")
    undo = pruned.plan[:UNDO_CHARS] if isinstance(pruned, PruneReport) and pruned.deleted else ""
    return "\n".join(
        (
            f"[bold]report    {_nearby(Path(report.path))}[/]  (open it in a browser)"
            if isinstance(report, ReportWritten)
            else "",
            f"store     {shown / 'memory.db'}",
            f"sample    {shown / 'sample'}  (what was imported)",
            f"plans     {shown / 'plans'}  (what was deleted, and why)",
            f"backups   {shown / 'backups'}  (restored once, in a drill)",
            f"archive   {shown / 'archive'}  (cold values, read as before)",
            f"models    {shown / 'models'}  (what was learned, with a card for people)",
            "",
            f"{_command()} restore --store {shown / 'memory.db'} --target {shown / 'backups'}",
            f"{_command()} search --store {shown / 'memory.db'}",
            f"{_command()} learn insights --store {shown / 'memory.db'}",
            f"{_command()} undo {undo} --store {shown / 'memory.db'}" if undo else "",
            f"{_command()} serve --store {shown / 'memory.db'} --target {shown / 'backups'}",
            "[dim]The last one shows these runs and their reports in Prefect's UI.[/]",
        )
    )


def _command() -> str:
    """What somebody must type here: `make demo` leaves the command in an environment of its own."""
    return "memtend" if which("memtend") else str(_nearby(Path(sys.executable).parent / "memtend"))


def _nearby(path: Path) -> Path:
    """As seen from here, where it lies below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
