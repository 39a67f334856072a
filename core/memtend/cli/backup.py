"""`backup take|verify`: full backups into any target, read back before they count."""

from __future__ import annotations

from typing import Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store, Target
from memtend.errors import NotWhole

backup = typer.Typer(help="Backups.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    for command in (take, verify):
        add(backup, command)
    app.add_typer(backup, name="backup", rich_help_panel="Upkeep")


def take(
    target: Target = None,
    why: Annotated[str, typer.Option("--why", help="Kept in the backup's manifest.")] = "",
    store: Store = None,
    json: Json = False,
) -> None:
    """Take a full backup.

    Writers go on meanwhile; what is in the target already is not written again.
    """
    with (
        open_operator(store) as services,
        show.waiting(f"backing up {services.facts().records:,} records"),
    ):
        report = services.take_backup(target, why)
    if json:
        show.emit_model(report)
        return
    show.facts(
        (
            ("backup", report.manifest),
            ("in", report.url),
            ("records", f"{report.rows:,}"),
            ("size", show.size(report.stored_bytes)),
            ("written", show.size(report.written_bytes)),
            ("took", f"{report.seconds:.1f} s"),
        )
    )
    for text in report.notes:
        show.note(text)
    if report.damaged_rows:
        show.note(f"{report.damaged_rows:,} damaged records were left out; run `memtend verify`")


def verify(
    target: Target = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Names and sizes only; contents are not read.")
    ] = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Check every backup in the target against its hashes and the store's catalog.

    The status is 83 when something is damaged; what a backup left that was cut off is no damage.
    """
    with open_operator(store) as services, show.waiting("verifying the backups"):
        found = services.verify_backup(target, deep=not quick)
    if json:
        show.emit_model(found)
    else:
        if damage := [finding for finding in found.findings if finding.damage]:
            rows = [(f.kind.value, f.name, f.why) for f in damage[: show.ROWS_SHOWN]]
            show.table(("damage", "object", "why"), rows)
        show.facts(
            (
                ("backups", f"{found.manifests:,}, {len(found.whole):,} whole"),
                ("newest", found.newest or "none"),
                ("records", f"{found.rows:,} read back" if found.deep else "not read (--quick)"),
                ("leftovers", f"{found.garbage_count:,}" if found.garbage_count else ""),
                ("took", f"{found.seconds:.1f} s"),
            )
        )
    if not found.ok:
        raise NotWhole(what=found.url, damage=found.damage_count)
