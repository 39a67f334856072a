"""`erase`: take a record, or everything of one subject, out for good, and prove it.

The plan holds counts and is never saved: what is to be forgotten must not lie in a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Apply, Json, Store
from memtend.errors import ErasureIncomplete
from memtend.limits import LABEL_CHARS_MAX

if TYPE_CHECKING:
    from memtend.erase.plan import ErasePlan
    from memtend.erase.report import EraseReport
    from memtend.model.subject import Subject

_ONE = "name exactly one: NAMESPACE and KEY, or one of the options"


def register(app: typer.Typer) -> None:
    add(app, erase, panel="Upkeep")


def erase(
    namespace: Annotated[
        str | None, typer.Argument(metavar="NAMESPACE", help="Of one record.", show_default=False)
    ] = None,
    key: Annotated[
        str | None, typer.Argument(metavar="KEY", help="Its name.", show_default=False)
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option("--namespace", metavar="PATTERN", help="All below, such as task/42 or */log."),
    ] = None,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="NAME", help="All that belongs to this agent.")
    ] = None,
    writer: Annotated[
        str | None, typer.Option("--writer", metavar="NAME", help="All that this agent wrote.")
    ] = None,
    session: Annotated[
        str | None, typer.Option("--session", metavar="NAME", help="All of this session.")
    ] = None,
    tag: Annotated[
        str | None, typer.Option("--tag", metavar="TAG", help="All that carries this tag.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="PostgreSQL: rewrite the tables; others wait meanwhile.")
    ] = False,
    apply: Apply = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Erase a record, or everything of one namespace, agent, writer, session or tag, for good.

    Prints the plan and stops. With --apply it goes from rows, tags, change log, archive, saved
    plans and names in the audit trail; learned models that name it are dropped; no restore and no
    import brings it back. Then everything is searched for traces: the status is 78 when some are
    left. Older backups keep it until rotation drops them; the report says until when.
    """
    subject = _subject(namespace, key, pattern, agent, writer, session, tag)
    with open_operator(store) as services:
        plan = services.plan_erase(subject)
        if not apply:
            _preview(plan, json)
            return
        with show.waiting(f"erasing {plan.rows:,} rows"):
            report = services.apply_erase(plan, full=full)
    _report(report, json)
    if report.residue:
        raise ErasureIncomplete(
            count=report.residue,
            where="tables or files",
            why=report.notes[0] if report.notes else "see the evidence in the report",
        )


def _subject(
    namespace: str | None,
    key: str | None,
    pattern: str | None,
    agent: str | None,
    writer: str | None,
    session: str | None,
    tag: str | None,
) -> Subject:
    from memtend.model.subject import Subject  # noqa: PLC0415

    named = [
        (pattern, Subject.of_namespace),
        (agent, Subject.of_agent),
        (writer, Subject.of_writer),
        (session, Subject.of_session),
        (tag, Subject.of_tag),
    ]
    chosen = [(name, make) for name, make in named if name is not None]
    if (namespace is None) != (key is None) or len(chosen) + (namespace is not None) != 1:
        raise typer.BadParameter(_ONE)
    if namespace is not None and key is not None:
        return Subject.of_record(namespace, key)
    [(name, make)] = chosen
    if not name or len(name) > LABEL_CHARS_MAX * 2:
        raise typer.BadParameter(f"a name has 1 to {LABEL_CHARS_MAX * 2} characters")
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise typer.BadParameter("the name is not Unicode text")
    return make(name)


def _preview(plan: ErasePlan, json: bool) -> None:
    if json:
        show.emit_model(plan)
        return
    show.facts(
        (
            ("kind", plan.kind),
            ("rows", f"{plan.rows:,} of {plan.total:,}"),
            ("size", show.size(plan.size_bytes)),
            ("elements of sets", f"{plan.elements:,}" if plan.elements else ""),
            ("expired", f"{plan.expired:,}" if plan.expired else ""),
            ("in quarantine", f"{plan.quarantined:,}" if plan.quarantined else ""),
            ("archived", f"{plan.archived:,}" if plan.archived else ""),
            ("messages", f"{plan.messages:,}" if plan.messages else ""),
            ("learned models", f"{plan.models:,} dropped" if plan.models else ""),
            ("kept stores", f"{plan.copies:,} removed, no undo" if plan.copies else ""),
        )
    )
    show.say("Nothing was changed. Erase it for good with --apply: there is no way back.")


def _report(report: EraseReport, json: bool) -> None:
    if json:
        show.emit_model(report)
        return
    found, counts = report.evidence, "{:,}".format
    others = (
        ("log entries", report.log_entries),
        ("access counts", report.access_counts),
        ("operations", report.operations),
        ("messages", report.messages),
        ("learned models", report.models),
        ("audit entries", report.audit_redacted),
        ("namespaces", report.namespaces_closed),
        ("grants", report.grants_revoked),
        ("saved plans", report.plans_deleted),
        ("unreadable rows", report.unreadable_rows),
        ("archive entries", report.archive_entries),
        ("kept stores", report.copies_removed),
    )
    searched = f"{counts(found.hashes)} hashes and {counts(found.texts)} texts"
    where = f"{counts(found.files)} files, {show.size(found.bytes)}"
    show.facts(
        (
            ("erased rows", counts(report.deleted)),
            *((name, counts(count) if count else "") for name, count in others),
            ("ledger entries", counts(report.ledger_entries)),
            ("searched", f"every table; {searched} in {where}" if found.files else "every table"),
            ("traces left", counts(report.residue)),
            ("in backups until", show.moment(report.backups_until)),
            ("took", f"{report.seconds:.1f} s"),
        )
    )
    for text in report.notes:
        show.note(show.clean(text))
