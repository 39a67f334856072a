"""`sweep`, `verify`: a plan first, the deed with `--apply`, a report at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Apply, Json, Store
from memtend.errors import NotWhole

if TYPE_CHECKING:
    from memtend.model.plan import Plan

PANEL = "Upkeep"


def register(app: typer.Typer) -> None:
    for command in (sweep, verify):
        add(app, command, panel=PANEL)


def sweep(
    manual: Annotated[
        bool, typer.Option("--manual", help="Also what its policy leaves to be cleaned by hand.")
    ] = False,
    apply: Apply = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Delete records that have outlived their TTL.

    Prints the plan and stops. With --apply, carries it out and prints the report.
    """
    from memtend.model.policy import Cleanup  # noqa: PLC0415
    from memtend.sweep.plan import ROUTINE  # noqa: PLC0415

    with open_operator(store) as services:
        plan = services.plan_sweep(ROUTINE | {Cleanup.MANUAL} if manual else ROUTINE)
        if not apply:
            _preview(plan, json)
            return
        meta, before = services.store.meta, plan.total
        with show.counting("sweeping", len(plan.to_delete()), lambda: before - meta().rows):
            report = services.apply_sweep(plan)
    show.removal(report, json)


def verify(store: Store = None, json: Json = False) -> None:
    """Check every byte of the store that matters.

    The status is 83 when something is damaged.
    """
    with open_operator(store) as services:
        url = services.store.url
        with show.waiting(f"verifying {services.facts().records:,} records"):
            found = services.verify_store()
    if json:
        show.emit_model(found)
    else:
        show.verdict(
            found.findings,
            found.damage_count,
            f"{found.rows:,} records and {found.audit_entries:,} audit entries "
            f"checked in {found.seconds:.1f} s",
        )
    if not found.ok:
        raise NotWhole(what=url, damage=found.damage_count)


def _preview(plan: Plan, json: bool) -> None:
    if json:
        show.emit_model(plan)
        return
    if plan.decisions:
        rows = [
            (d.action.value, f"{d.namespace}/{d.key}", show.size(d.size_bytes), d.reason)
            for d in plan.decisions[: show.ROWS_SHOWN]
        ]
        show.table(("do", "record", "size", "why"), rows, right=(2,))
    if len(plan.decisions) > show.ROWS_SHOWN:
        show.say(f"and {len(plan.decisions) - show.ROWS_SHOWN:,} more; --json lists all")
    count = len(plan.to_delete())
    show.say(f"would delete {count:,} of {plan.total:,} records ({plan.delete_share:.0%})")
    if count:
        show.say("Nothing was changed. Carry it out with --apply.")
