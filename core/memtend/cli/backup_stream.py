"""`backup stream`: an increment whenever something has changed, until somebody stops it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.backup_take import Why
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store, Target
from memtend.cli.stopping import stopped
from memtend.durations import parse_duration
from memtend.limits import STREAM_EVERY_S

if TYPE_CHECKING:
    from memtend.backup.report import BackupReport
    from memtend.errors import MemtendError


def register(backup: typer.Typer) -> None:
    add(backup, stream)


def stream(
    target: Target = None,
    every: Annotated[
        str, typer.Option("--every", metavar="TIME", help="The least time between two backups.")
    ] = f"{STREAM_EVERY_S:.0f}s",
    why: Why = "",
    store: Store = None,
    json: Json = False,
) -> None:
    """Back up as changes come: at most this much is lost with the machine.

    Takes an increment every few seconds in which something changed, and a last one when it is
    stopped with Ctrl-C or SIGTERM. With --json, each report is one line.
    """
    every_s = _seconds(every)
    with open_operator(store) as services, stopped() as ended:
        show.say(f"backing up every {every}; Ctrl-C ends it")
        for report in services.stream_backups(
            target, why, every_s=every_s, ended=ended.wait, missed=_missed
        ):
            _tell(report, json=json)


def _seconds(text: str) -> float:
    found = parse_duration(text)
    if not found:
        raise typer.BadParameter("it is no time such as 10s or 5m", param_hint="--every")
    return found / 1_000


def _tell(report: BackupReport, *, json: bool) -> None:
    if json:
        typer.echo(report.model_dump_json())
        return
    changed = f"changed rows: {report.rows + report.log_rows:,}" if report.base else "everything"
    size, at = show.size(report.written_bytes), show.moment(report.at)
    typer.echo(f"{at}  no {report.number:,}  {report.kind}  {changed}, {size} written")
    # A full one put together of the others is the ordinary course; one that was read anew is not.
    for text in report.notes if report.kind == "full" else ():
        show.note(text)


def _missed(error: MemtendError) -> None:
    show.note(f"not backed up this time, will be tried again: {error}")
