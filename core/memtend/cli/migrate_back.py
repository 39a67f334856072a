"""`migrate rollback` and `migrate history`: what was moved, and taking it back."""

from __future__ import annotations

from typing import Annotated

import typer

from memtend.cli import migrate_show, restore_show, show
from memtend.cli.opening import open_operator
from memtend.cli.options import Apply, Json, Store, Target


def rollback(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN", help="As history shows it, or how it begins; else the newest.",
            show_default=False,
        ),
    ] = None,
    restore: Annotated[
        bool, typer.Option("--restore", help="Bring back the whole store from the backup before.")
    ] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Take the store back to an older schema instead.")
    ] = False,
    to: Annotated[
        str | None, typer.Option("--to", metavar="REVISION", help="With --schema: which.")
    ] = None,
    snapshot: Annotated[
        bool, typer.Option("--snapshot", help="With --schema: put the kept copy in its place.")
    ] = False,
    lose: Annotated[
        bool, typer.Option("--lose", help="With --schema: what it has no place for may go.")
    ] = False,
    target: Target = None,
    apply: Apply = False,
    store: Store = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Take a migration back: value by value, by restoring the backup, or the schema.

    Prints what would be done and stops. With --apply, backs up and does it.

    Value by value, each comes back exactly as it was; what somebody has written since stays. With
    --restore the whole store is as it was before, and all that came since goes with it.
    """
    if schema:
        _schema(to, snapshot, lose, apply, store, json)
        return
    with open_operator(store) as services:
        if restore:
            with show.waiting("reading the backup and comparing it with the store"):
                wanted = services.plan_rollback_restore(run, target)
            if not apply:
                restore_show.preview(wanted, json)
                return
            with show.waiting(f"restoring {wanted.rows:,} records"):
                restored = services.apply_restore(wanted)
            restore_show.report_of(restored, json)
            return
        with show.waiting("looking for what the run wrote"):
            made = services.plan_rollback(run)
        if not apply:
            migrate_show.planned(made, json)
            return
        meta, before = services.store.meta, services.store.meta().seq
        with show.counting("taking back", made.planned, lambda: meta().seq - before):
            report = services.apply_rollback(made, target)
    migrate_show.report(report, json)


def history(store: Store = None, json: Json = False) -> None:
    """List the migrations that the store has been through, newest first."""
    with open_operator(store) as services:
        found = services.migration_history()
    if json:
        show.emit(found)
        return
    rows = [
        (
            one.run[:12],
            show.moment(one.began_at),
            one.what if one.what == one.family else f"{one.what} {one.family}",
            f"{one.found} → {one.wanted}",
            one.state,
            f"{one.written:,}" if one.what == "values" else "",
        )
        for one in found
    ]
    show.table(("run", "began", "of", "from and to", "state", "records"), rows, right=(5,))


def _schema(
    to: str | None, snapshot: bool, lose: bool, apply: bool, store: str | None, json: bool
) -> None:
    from memtend.clock import SystemClock  # noqa: PLC0415
    from memtend.serving.upgrading import (  # noqa: PLC0415
        plan_schema,
        rollback_schema,
        schema_before,
    )
    from memtend.settings import Settings  # noqa: PLC0415

    settings, clock = Settings(), SystemClock()
    url = store or settings.store_url
    if not apply:
        wanted = to or schema_before(url)
        migrate_show.schema_plan(plan_schema(url, settings, clock, wanted), json)
        return
    with show.waiting("taking the store to an older schema"):
        done = rollback_schema(url, settings, clock, to=to, snapshot=snapshot, lose=lose)
    migrate_show.schema_report(done, json)
