"""The `archive` commands: cold values elsewhere, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Apply, Json, Store
from memtend.errors import NotWhole

if TYPE_CHECKING:
    from memtend.archive.plan import ArchivePlan
    from memtend.archive.report import ArchiveReport
    from memtend.model.plan import Plan

Archive = Annotated[
    str | None,
    typer.Option(
        "--archive",
        metavar="URL",
        help="A folder or fsspec URL such as s3://bucket/archive; else MEMTEND_ARCHIVE_URL, else "
        "where it has been so far, else a folder of the store below memtend-archive.",
    ),
]
archive = typer.Typer(help="Cold records, packed elsewhere.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    for command in (run, list_, recall, undo, compact, reindex, rekey, verify, stats):
        add(archive, command)
    app.add_typer(archive, name="archive", rich_help_panel="Upkeep")


def run(at: Archive = None, apply: Apply = False, store: Store = None, json: Json = False) -> None:
    """Move cold values into the archive.

    Prints the plan and stops. With --apply, carries it out and prints the report.

    The records stay: they are found by their labels and read like any other. The rules are in the
    policy file, under archive.
    """
    with open_operator(store, archive=at) as services:
        with show.waiting("looking for cold records"):
            plan = services.plan_archive()
        if not apply:
            _preview(plan, json)
            return
        cold, meta = len(plan.to_archive()), services.store.meta
        before = meta().seq
        with show.counting("archiving", cold, lambda: meta().seq - before):
            report = services.apply_archive(plan)
    _report(report, json)


def list_(at: Archive = None, store: Store = None, json: Json = False) -> None:
    """List the runs of which the archive still holds something."""
    with open_operator(store, archive=at) as services:
        found = services.archive_runs()
    if json:
        show.emit(found)
        return
    rows = [
        (
            str(one.run),
            show.moment(one.at),
            f"{one.records:,}",
            f"{one.objects:,}",
            ", ".join(f"{rule} {count:,}" for rule, count in sorted(one.rules.items())),
        )
        for one in found
    ]
    show.table(("run", "when", "records", "objects", "rules"), rows, right=(0, 2, 3))


def recall(
    pattern: Annotated[
        str,
        typer.Argument(
            metavar="PATTERN",
            help="Such as knowledge/rest/retries, task/*/log or **.",
            show_default=False,
        ),
    ],
    at: Archive = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Bring archived records back into the store.

    Labels, creation time and deadline stay as they were.
    """
    with open_operator(store, archive=at) as services, show.waiting("bringing records back"):
        report = services.recall(pattern)
    _report(report, json)


def undo(
    run: Annotated[int, typer.Argument(metavar="RUN", help="Its number, as list shows it.")],
    at: Archive = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Bring back everything that one run archived.

    What has been written again or deleted since stays as it is.
    """
    with open_operator(store, archive=at) as services, show.waiting("bringing records back"):
        report = services.undo_archive(run)
    _report(report, json)


def compact(
    at: Archive = None, apply: Apply = False, store: Store = None, json: Json = False
) -> None:
    """Give back space that recalled, deleted and replaced records have left.

    Prints the plan and stops. With --apply, carries it out and prints the report.

    Objects go only when nothing has named them for longer than backups are kept.
    """
    with open_operator(store, archive=at) as services, show.waiting("compacting"):
        plan = services.plan_compact()
        report = services.apply_compact(plan) if apply else None
    if report is None:
        _preview_compact(plan, json)
    elif json:
        show.emit_model(report)
    else:
        show.facts(
            (
                ("rewritten", f"{report.rewritten:,} objects, {report.moved:,} records moved"),
                ("removed", f"{report.removed:,} objects"),
                ("freed", show.size(report.bytes_freed) if report.removed else ""),
                ("waiting", f"{report.waiting:,} unused, kept for older backups"),
            )
        )
        for text in report.notes:
            show.note(show.clean(text))


def reindex(at: Archive = None, store: Store = None, json: Json = False) -> None:
    """Find again what the archive holds and the store has lost.

    Nothing that the store knows is changed, and nothing that was erased comes back. An archive of
    another store, which is lost, is taken over only if --archive names it.
    """
    with open_operator(store, archive=at) as services, show.waiting("reading the archive"):
        report = services.reindex_archive(adopt=at is not None)
    _report(report, json)


def rekey(at: Archive = None, store: Store = None, json: Json = False) -> None:
    """Change the key of an encrypted archive. Nothing that is stored is written again.

    The keys come from the same settings as those of `memtend backup rekey`.
    """
    with open_operator(store, archive=at) as services:
        gone = services.rekey_archive()
    if json:
        show.emit({"operation": "rekey", "keys_removed": gone})
    else:
        show.done("the new key opens the archive, and the old one no longer does")


def verify(at: Archive = None, store: Store = None, json: Json = False) -> None:
    """Read the whole archive, and look for the value of every archived record.

    The status is 83 when something is damaged.
    """
    with open_operator(store, archive=at) as services, show.waiting("verifying the archive"):
        found = services.verify_archive()
    if json:
        show.emit_model(found)
    else:
        show.verdict(
            found.findings,
            found.damage_count,
            f"{found.stubs:,} archived records, {found.records:,} in "
            f"{found.objects:,} objects, {show.size(found.read_bytes)} read",
        )
    if not found.ok:
        raise NotWhole(what=found.url, damage=found.damage_count)


def stats(store: Store = None, json: Json = False) -> None:
    """What archiving saves, from totals that every write keeps up to date."""
    with open_operator(store) as services:
        found = services.memory.stats().archived
    if json:
        show.emit_model(found)
        return
    show.facts(
        (
            ("archived", f"{found.records:,} records"),
            ("took before", show.size(found.before_bytes)),
            ("still here", show.size(found.stub_bytes)),
            ("in the archive", show.size(found.archive_bytes)),
            ("saved", f"{found.saved_share:.0%}" if found.records else "nothing yet"),
        )
    )


def _preview(plan: ArchivePlan, json: bool) -> None:
    if json:
        show.emit_model(plan)
        return
    if plan.decisions:
        rows = [
            (f"{d.namespace}/{d.key}", show.size(d.size_bytes), d.rule, d.reason)
            for d in plan.decisions[: show.ROWS_SHOWN]
        ]
        show.table(("record", "size", "rule", "why"), rows, right=(1,))
    if len(plan.decisions) > show.ROWS_SHOWN:
        show.say(f"and {len(plan.decisions) - show.ROWS_SHOWN:,} more; --json lists all")
    count, size = len(plan.decisions), sum(d.size_bytes for d in plan.decisions)
    show.say(f"would archive {count:,} of {plan.total:,} records, {show.size(size)}")
    if count:
        show.say("Nothing was changed. Carry it out with --apply.")


def _preview_compact(plan: Plan, json: bool) -> None:
    if json:
        show.emit_model(plan)
        return
    if plan.decisions:
        names = {"update": "rewrite", "delete": "remove", "keep": "keep"}
        rows = [
            (names[d.action.value], d.key[:16], show.size(d.size_bytes), d.reason)
            for d in plan.decisions[: show.ROWS_SHOWN]
        ]
        show.table(("do", "object", "size", "why"), rows, right=(2,))
    todo = sum(d.action.value != "keep" for d in plan.decisions)
    show.say(f"would rewrite or remove {todo:,} of {plan.total:,} objects")
    show.say("Nothing was changed. Carry it out with --apply.")


def _report(report: ArchiveReport, json: bool) -> None:
    if json:
        show.emit_model(report)
        return
    verb = {"archive": "archived", "recall": "recalled", "reindex": "found again"}
    archived = report.operation == "archive" and report.run
    show.facts(
        (
            (verb[report.operation], f"{report.written:,} records"),
            ("run", str(report.run) if archived else ""),
            ("in", report.url),
            ("took before", show.size(report.before_bytes) if archived else ""),
            ("still here", show.size(report.stub_bytes) if archived else ""),
            ("in the archive", show.size(report.archive_bytes) if archived else ""),
            ("changed since the plan", f"{report.changed_since:,}" if report.changed_since else ""),
            ("unreadable", f"{report.refused:,}" if report.refused else ""),
            ("took", f"{report.seconds:.1f} s"),
        )
    )
    for text in report.unreadable[: show.ROWS_SHOWN]:
        show.note(show.clean(text))
    if archived:
        show.say(f"Undo it with `memtend archive undo {report.run}`.")
