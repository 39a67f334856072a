"""`backup rotate|pin|unpin`: which backups stay. A plan first, the deed with `--apply`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Apply, Json, Store, Target

if TYPE_CHECKING:
    from memtend.backup.rotation_plan import RotationPlan, RotationReport

PinName = Annotated[
    str, typer.Argument(metavar="NAME", help="Such as before-migration.", show_default=False)
]


def register(app: typer.Typer) -> None:
    for command in (rotate, pin, unpin):
        add(app, command)


def rotate(
    target: Target = None,
    forget: Annotated[
        list[str] | None,
        typer.Option("--forget", metavar="MANIFEST", help="Drop one that cannot be read."),
    ] = None,
    apply: Apply = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Drop the backups that nothing keeps, and the space that only they needed.

    What keeps a backup is set in the policy file under `retention`. Prints every backup with its
    reasons and stops. With --apply, carries it out and prints the report.

    The newest backup of each store, pinned ones, and what a kept one builds on always stay.
    """
    with open_operator(store) as services, show.waiting("rotating the backups"):
        plan = services.plan_rotation(target, forget=forget or ())
        report = services.apply_rotation(plan) if apply else None
    if json:
        show.emit_model(report or plan)
    elif report is not None:
        _report(report)
    else:
        _preview(plan)


def pin(
    name: PinName,
    manifest: Annotated[
        str | None,
        typer.Option("--backup", metavar="BACKUP", help="Its number or name; else the newest."),
    ] = None,
    why: Annotated[str, typer.Option("--why", help="Kept with the pin.")] = "",
    target: Target = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Keep a backup whatever rotation would do, until it is unpinned."""
    with open_operator(store) as services:
        made = services.pin_backup(name, manifest, target, why)
    if json:
        show.emit_model(made)
        return
    show.done(f"{made.manifest} is kept as {made.name!r}")


def unpin(name: PinName, target: Target = None, store: Store = None, json: Json = False) -> None:
    """Take a pin away; the next rotation decides about the backup."""
    with open_operator(store) as services:
        services.unpin_backup(name, target)
    if json:
        show.emit({"unpinned": name})
        return
    show.done(f"{name!r} keeps nothing any more")


def _preview(plan: RotationPlan) -> None:
    rows = [
        (
            one.action.value,
            f"{one.number:,}",
            show.moment(one.at),
            one.kind,
            show.size(one.size_bytes) if one.action == "delete" else "",
            one.reason,
        )
        for one in plan.decisions
    ]
    # Those that go first, then the newest of those that stay.
    rows.reverse()
    shown = sorted(rows, key=lambda row: row[0])[: show.ROWS_SHOWN]
    show.table(("do", "backup", "taken", "kind", "frees", "why"), shown, right=(1, 4))
    if len(rows) > len(shown):
        show.say(f"and {len(rows) - len(shown):,} more; --json lists all")
    gone = plan.to_delete()
    freed = sum(one.size_bytes for one in gone)
    show.say(f"would drop {len(gone):,} of {plan.total:,} backups and free {show.size(freed)}")
    if plan.unreadable:
        show.note(f"{len(plan.unreadable):,} cannot be read; --forget MANIFEST drops one")
    if gone:
        show.say("Nothing was changed. Carry it out with --apply.")


def _report(report: RotationReport) -> None:
    waiting = report.objects_waiting
    show.facts(
        (
            ("dropped", f"{report.deleted:,} backups"),
            ("kept", f"{report.kept:,}"),
            ("stayed after all", f"{report.changed_since:,}" if report.changed_since else ""),
            ("freed", show.size(report.bytes_freed)),
            ("waiting", f"{waiting:,} objects, younger than a day" if waiting else ""),
            ("took", f"{report.seconds:.1f} s"),
        )
    )
    for text in report.notes:
        show.note(show.clean(text))
