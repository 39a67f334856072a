"""`copy`: a whole store to an empty place, on the same engine or the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import EVERYTHING, open_memory
from memtend.cli.options import Json
from memtend.errors import CopyWrong

if TYPE_CHECKING:
    from memtend.serving.copy_report import CopyCheck, CopyReport

PANEL = "Upkeep"


def register(app: typer.Typer) -> None:
    add(app, copy, panel=PANEL)


def copy(
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="A path, sqlite:///PATH or postgresql://…")
    ],
    dest: Annotated[str, typer.Argument(metavar="TO", help="The same; nothing may be there.")],
    check: Annotated[
        bool, typer.Option("--check", help="Compare the two later; nothing is copied.")
    ] = False,
    json: Json = False,
) -> None:
    """Copy a whole store to an empty place, from SQLite to PostgreSQL or the other way.

    FROM is only read. The copy is a new replica of the same store; it stands only once its root
    hash was found equal. End the programs that write to FROM first, or ask --check afterwards what
    they wrote meanwhile: the status is 73 while the two differ.
    """
    from memtend.clock import SystemClock  # noqa: PLC0415
    from memtend.serving.copying import Progress, check_copy, copy_store  # noqa: PLC0415
    from memtend.settings import Settings  # noqa: PLC0415

    settings, clock, progress = Settings(), SystemClock(), Progress()
    for url in (source, dest) if check else (source,):
        _allow(url)
    if check:
        with show.waiting("comparing the two stores"):
            found = check_copy(source, dest, settings, clock)
        _tell_check(found, json)
        return
    with show.waiting("copying"):
        report = copy_store(source, dest, settings, clock, progress)
    _tell(report, json)


def _allow(url: str) -> None:
    """A copy is everything: an agent needs the right to administer all of it, as for an export."""
    with open_memory(url, None) as memory:
        if memory.agent is not None:
            memory.config.allow(memory.agent, "admin", EVERYTHING)


def _tell(report: CopyReport, json: bool) -> None:
    if json:
        show.emit_model(report)
        return
    show.facts(
        (
            ("copied", report.source),
            ("to", report.url),
            ("records", f"{report.rows:,}"),
            ("size", show.size(report.size_bytes)),
            ("root", f"{report.root} of both"),
            ("sum", f"{report.state_sum} of both"),
            ("as of", f"change {report.seq:,}"),
            ("took", f"{report.seconds:.1f} s"),
        )
    )
    if report.written_since:
        show.note(
            f"{report.written_since:,} changes were written at the source meanwhile; "
            "`memtend copy FROM TO --check` names them"
        )


def _tell_check(found: CopyCheck, json: bool) -> None:
    if json:
        show.emit_model(found)
    else:
        show.facts(
            (
                ("records", f"{found.rows:,} and {found.copied_rows:,}"),
                ("root", f"{found.root} and"),
                ("", "") if found.equal else ("of the copy", found.copied_root),
                ("copied at", f"change {found.seq:,}; the source is at {found.source_seq:,}"),
                ("written since", ", ".join(found.names) if found.changed else ""),
            )
        )
    if found.equal:
        show.done("the two are equal")
        return
    why = f"{found.changed:,} keys were written at the source after the copy"
    if not found.changed:
        why = "something was written at the copy"
    raise CopyWrong(url=found.url, source=found.source, why=why)
