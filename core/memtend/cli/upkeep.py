"""`sweep`, `import`, `verify`: a plan first, the deed with `--apply`, a report at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Apply, Json, Store
from memtend.errors import NotWhole

if TYPE_CHECKING:
    from memtend.migrate.importing import ImportPlan
    from memtend.model.plan import Plan, Report

PANEL = "Upkeep"


def register(app: typer.Typer) -> None:
    for command in (sweep, import_, verify):
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
    _report(report, json)


def import_(
    source: Annotated[str, typer.Argument(metavar="FOLDER", help="Where the old memory lies.")],
    kind: Annotated[
        str | None, typer.Option("--kind", help="lifecycle or aml; else what the folder holds.")
    ] = None,
    zone: Annotated[
        str, typer.Option("--zone", help="Where times without a zone were written.")
    ] = "UTC",
    apply: Apply = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Bring in the memory of an older tool.

    The source is only read. Prints the plan and stops. With --apply, writes and prints the report.

    Importing twice changes nothing; what somebody changed here since is never overwritten.
    """
    with open_operator(store) as services:
        with show.waiting(f"reading {source}"):
            plan = services.plan_import(source, kind, zone)
        if not apply:
            _preview_import(plan, json)
            return
        meta, before = services.store.meta, plan.basis
        with show.counting("importing", len(plan.to_write()), lambda: meta().seq - before):
            report = services.apply_import(plan)
    _report(report, json)


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


def _preview_import(plan: ImportPlan, json: bool) -> None:
    if json:
        # What could not be read is named by its hash; its bytes stay in the source.
        show.emit_model(plan, exclude={"quarantined": {"__all__": {"data"}}})
        return
    actions: dict[str, int] = {}
    for decision in plan.decisions:
        actions[decision.action.value] = actions.get(decision.action.value, 0) + 1
    show.table(("kind and version", "items"), ((k, f"{n:,}") for k, n in plan.counts.items()),
               right=(1,))  # fmt: skip
    refused = [d for d in plan.decisions if d.action == "refuse"]
    trouble = [(d.namespace + "/" + d.key, d.reason) for d in refused]
    trouble += [(show.clean(q.path), q.reason) for q in plan.quarantined]
    if trouble:
        show.table(("not imported", "why"), trouble[: show.ROWS_SHOWN])
    summary = ", ".join(f"{action} {count:,}" for action, count in sorted(actions.items()))
    show.say(f"{plan.kind}: would {summary or 'do nothing'}; unreadable {len(plan.quarantined):,}")
    if plan.naive_times:
        show.note(f"{plan.naive_times:,} times without a zone are read as {plan.zone} (--zone)")
    if plan.to_write():
        show.say("Nothing was changed. Carry it out with --apply.")


def _report(report: Report, json: bool) -> None:
    if json:
        show.emit_model(report)
        return
    show.facts(
        (
            ("deleted", f"{report.deleted:,}" if report.operation == "sweep" else ""),
            ("written", f"{report.written:,}" if report.operation == "import" else ""),
            ("unchanged", f"{report.unchanged:,}" if report.unchanged else ""),
            ("changed since the plan", f"{report.changed_since:,}" if report.changed_since else ""),
            ("unreadable", f"{report.refused:,}" if report.refused else ""),
            ("freed", show.size(report.bytes_freed) if report.bytes_freed else ""),
            ("longest lock", f"{report.longest_lock_ms:.0f} ms" if report.slices else ""),
            ("took", f"{report.seconds:.1f} s"),
        )
    )
    for text in report.notes:
        show.note(show.clean(text))
