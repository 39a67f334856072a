"""`prune` and `undo`: judge what a store can do without, let it go, bring it back."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add, flowing, refuse_above
from memtend.cli.opening import open_operator
from memtend.cli.options import Apply, Json, Limit, Store

if TYPE_CHECKING:
    from memtend.model.pruned import Excess
    from memtend.model.trial import TtlReport
    from memtend.prune.plan import PrunePlan
    from memtend.prune.report import PruneReport

PANEL = "Upkeep"
DIGITS = 12
Archive = Annotated[
    str | None,
    typer.Option(
        "--archive", metavar="URL", help="Where what goes is kept; as in `memtend archive run`."
    ),
]
_HELP = """
Let go of what the rules say is not worth keeping.

Prints the plan and stops. With --apply, carries it out: each record is archived first, then
deleted; `memtend undo PLAN` brings it back. What is pinned, important or often read stays.

The rules and profiles are in the policy file, under prune.
"""
prune_app = typer.Typer(invoke_without_command=True, help=flowing(_HELP))


def register(app: typer.Typer) -> None:
    for command in (history, regret):
        add(prune_app, command)
    app.add_typer(prune_app, name="prune", rich_help_panel=PANEL)
    add(app, undo, panel=PANEL)


@prune_app.callback()
def prune(
    context: typer.Context,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            "--strategy",
            metavar="NAME",
            help="time, performance, space, redundancy or value; may be repeated. Else those that "
            "the profile names.",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option("--profile", metavar="NAME", help="default, aggressive, off or one's own."),
    ] = None,
    apply: Apply = False,
    approve: Annotated[
        bool,
        typer.Option(
            "--approve",
            help="Also take more of a namespace than goes without approval in a day: one percent, "
            "or ten records where that is less, unless many namespaces lose ten.",
        ),
    ] = False,
    at: Archive = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """See the help of the group."""
    if context.invoked_subcommand is not None:
        refuse_above(context)
        return
    with open_operator(store, archive=at) as services:
        with show.waiting("judging every record"):
            plan = services.plan_prune(strategy or None, profile)
        if not apply:
            excess = services.prune_excess(plan)
            _preview(plan, excess, json)
            return
        count, meta = len(plan.decisions), services.store.meta
        before = meta().seq
        with show.counting("pruning", count, lambda: meta().seq - before):
            report = services.apply_prune(plan, approved=approve)
    _report(report, json)


def undo(
    plan: Annotated[
        str,
        typer.Argument(
            metavar="PLAN",
            help="Its digest, or at least the first 8 digits, as prune history or learn ttl trials "
            "show it.",
            show_default=False,
        ),
    ],
    at: Archive = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Bring back what a prune took, or the rules that `memtend learn ttl apply` has changed.

    Of a record, value, labels, times and deadline are as they were. What somebody has written,
    deleted, erased or set otherwise since stays as it is.
    """
    with open_operator(store, archive=at) as services:
        if services.knows_ttl(plan):
            _print_rules(services.undo_ttl(plan), json)
            return
        with show.waiting("bringing records back"):
            report = services.undo_prune(plan)
    if json:
        show.emit_model(report)
        return
    show.facts(
        (
            ("brought back", f"{report.written:,}"),
            ("recalled", f"{report.recalled:,}" if report.recalled else ""),
            ("merged before", f"{report.parted:,} have their own labels" if report.parted else ""),
            ("expired since", f"{report.expired:,}" if report.expired else ""),
            ("left as they are", f"{report.unchanged:,}" if report.unchanged else ""),
            ("unreadable", f"{report.refused:,}" if report.refused else ""),
            ("took", f"{report.seconds:.1f} s"),
        )
    )
    for text in (*report.notes, *report.unreadable[: show.ROWS_SHOWN]):
        show.note(show.clean(text))


def _print_rules(report: TtlReport, json: bool) -> None:
    if json:
        show.emit_model(report)
        return
    show.facts(
        (
            ("rules put back", f"{report.written:,}"),
            ("set otherwise since", f"{report.changed_since:,}" if report.changed_since else ""),
            ("ended before", f"{report.unchanged:,}" if report.unchanged else ""),
        )
    )


def history(limit: Limit = 20, store: Store = None, json: Json = False) -> None:
    """List what was pruned, the newest first."""
    with open_operator(store) as services:
        found = services.prunings(limit)
    if json:
        show.emit(found)
        return
    rows = [
        (
            one.plan[:DIGITS],
            show.moment(one.at),
            f"{one.records:,}",
            f"{one.archived:,}",
            show.size(one.bytes),
            _counts(one.rules),
            f"undone {show.moment(one.undone_at)}" if one.undone_at else "",
        )
        for one in found
    ]
    if not rows:
        show.say("nothing was pruned yet")
        return
    heads = ("plan", "when", "deleted", "archived", "size", "rules", "")
    show.table(heads, rows, right=(2, 3, 4))


def regret(store: Store = None, json: Json = False) -> None:
    """Say how much of what was pruned somebody has asked for since.

    A rule whose share is high takes what is needed: give it a longer age or a lower threshold.
    """
    with open_operator(store) as services:
        found = services.regrets()
    if json:
        show.emit(found)
        return
    ordered = sorted(found, key=lambda one: (-one.share, one.rule, one.namespace))
    rows = [
        (one.rule, one.namespace, f"{one.pruned:,}", f"{one.missed:,}", f"{one.share:.1%}",
         f"{one.reads:,}")
        for one in ordered
    ]  # fmt: skip
    if not rows:
        show.say("nothing was pruned yet")
        return
    heads = ("rule", "namespace", "pruned", "missed", "share", "reads")
    show.table(heads, rows, right=(2, 3, 4, 5))


def _preview(plan: PrunePlan, excess: tuple[Excess, ...], json: bool) -> None:
    if json:
        show.emit_model(plan)
        return
    if plan.decisions:
        rows = [
            (d.action.value, f"{d.namespace}/{d.key}", show.size(d.size_bytes), d.rule, d.reason)
            for d in plan.decisions[: show.ROWS_SHOWN]
        ]
        show.table(("do", "record", "size", "rule", "why"), rows, right=(2,))
    if len(plan.decisions) > show.ROWS_SHOWN:
        show.say(f"and {len(plan.decisions) - show.ROWS_SHOWN:,} more; --json lists all")
    rules = Counter(decision.rule for decision in plan.decisions)
    going = len(plan.to_delete())
    show.facts(
        (
            ("profile", plan.profile),
            ("would delete", f"{going:,} of {plan.total:,} records ({plan.delete_share:.1%})"),
            ("would archive", f"{len(plan.decisions) - going:,}"),
            ("rules", _counts(rules)),
            ("shielded", _counts(plan.shielded)),
        )
    )
    for text in plan.notes:
        show.note(show.clean(text))
    for one in excess[: show.ROWS_SHOWN]:
        show.note(
            f"{one.namespace}: {one.planned:,} of {one.records:,} records, and {one.today:,} "
            f"within a day; {one.allowed:,} go without --approve"
        )
    if plan.decisions:
        show.say("Nothing was changed. Carry it out with --apply.")


def _report(report: PruneReport, json: bool) -> None:
    if json:
        show.emit_model(report)
        return
    changed = report.changed_since
    show.facts(
        (
            ("deleted", f"{report.deleted:,}"),
            ("merged", f"{report.merged:,} of them into others" if report.merged else ""),
            ("archived", f"{report.archived:,}" if report.archived else ""),
            ("changed since the plan", f"{changed:,}" if changed else ""),
            ("unreadable", f"{report.refused:,}" if report.refused else ""),
            ("freed", show.size(report.bytes_freed) if report.deleted else ""),
            ("kept in the archive", show.size(report.archive_bytes) if report.deleted else ""),
            ("longest lock", f"{report.longest_lock_ms:.0f} ms" if report.slices else ""),
            ("took", f"{report.seconds:.1f} s"),
        )
    )
    for text in report.unreadable[: show.ROWS_SHOWN]:
        show.note(show.clean(text))
    if report.deleted or report.archived:
        show.done(f"undo it: memtend undo {report.plan[:DIGITS]}")


def _counts(counts: dict[str, int] | Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
