"""`backup drill`: prove that the newest backup can be restored."""

from __future__ import annotations

from typing import Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store, Target
from memtend.errors import NotWhole


def register(app: typer.Typer) -> None:
    add(app, drill)


def drill(
    target: Target = None,
    scratch: Annotated[
        str | None,
        typer.Option(
            "--scratch", metavar="FOLDER", help="Where to restore; else the system's temporary one."
        ),
    ] = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Restore the newest backup into a scratch file and look at it from every side.

    Compares counts, sum and root, verifies every byte, reads records as an agent does, measures
    what would be lost and how long it takes, and changes one bit on the way to see that it is
    noticed. The live store is not touched, and the scratch file is removed. The status is 83 when
    the backup did not pass; `memtend health` says when no drill has passed for a day.
    """
    with open_operator(store) as services, show.waiting("drilling the newest backup"):
        report = services.drill(target, scratch=scratch)
    if json:
        show.emit_model(report)
    else:
        show.table(
            ("check", "", "found"),
            [(check.name, "ok" if check.ok else "FAILED", check.fact) for check in report.checks],
        )
        show.facts(
            (
                ("backup", report.manifest),
                ("of", show.moment(report.backup_at)),
                ("would be lost", f"the last {report.rpo_seconds:,.0f} s"),
                ("back after", f"{report.rto_seconds:,.1f} s"),
                ("took", f"{report.seconds:.1f} s"),
            )
        )
    if not report.ok:
        failed = sum(not check.ok for check in report.checks)
        raise NotWhole(what=report.manifest, damage=failed)
