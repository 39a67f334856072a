"""Plans that bring data in or move it forward, as people read them. Pure.

Reasons may quote what an item said; quotes are left out, for a page holds no stored value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from memtend.export.report import ExportReport
from memtend.limits import PUBLISHED_FINDINGS_MAX
from memtend.migrate.casting import Move
from memtend.migrate.importing import ImportPlan, ImportReport
from memtend.migrate.plan import MigrationPlan
from memtend.migrate.report import Rehearsal
from memtend.model.plan import Plan
from memtend.model.upgrade import SchemaPlan
from memtend_tasks.figures import size, table, to_span

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_MANIFEST = re.compile(r"manifests/0*(\d+)-[0-9a-f]{64}")
_COUNTS_SHOWN = 40
_MOVES = {Move.CAST: "moves", Move.CURRENT: "is of it already"}


def moved_headline(plan: ImportPlan | MigrationPlan) -> str:
    return _import_headline(plan) if isinstance(plan, ImportPlan) else _migration_headline(plan)


def moved_details(plan: ImportPlan | MigrationPlan) -> list[str]:
    return _import_details(plan) if isinstance(plan, ImportPlan) else _migration_details(plan)


def _import_headline(plan: ImportPlan) -> str:
    return (
        f"Imports **{plan.writes:,} of {plan.total:,}** items ({size(plan.size_bytes)}) from "
        f"`{plan.source}`, a memory of the kind {plan.kind}."
    )


def _import_details(plan: ImportPlan) -> list[str]:
    lines: list[str] = [
        _counts(("kind and version", "items"), plan.counts),
        _counts(("would", "items"), plan.actions),
    ]
    if plan.quarantined_count:
        lines.append(
            f"**{plan.quarantined_count:,} cannot be read.** They stay as they are in the source, "
            "and a copy of each is kept:"
        )
        rows = [(one.path, one.id or "", unquoted(one.reason)) for one in plan.quarantined]
        lines.append(table(("file", "item", "why"), rows[:PUBLISHED_FINDINGS_MAX]))
    if plan.refused:
        lines.append(f"**{plan.refused:,} are refused:**")
        refusals = [(f"{one.namespace}/{one.key}", unquoted(one.reason)) for one in plan.refusals]
        lines.append(table(("record", "why"), refusals[:PUBLISHED_FINDINGS_MAX]))
    notes = (
        (plan.naive_times, f"times have no zone and are read as {plan.zone}"),
        (plan.without_metrics, "items say nothing of how often they succeeded: it stays unknown"),
        (plan.expired, "items have expired and stay out"),
        (plan.erased, "items were erased here and stay out"),
        (plan.passed_over_count, "files hold nothing of their own"),
    )
    return lines + [f"{count:,} {what}." for count, what in notes if count]


def has_work(plan: Plan) -> bool:
    """Whether applying an import does something: it also keeps what cannot be read."""
    return isinstance(plan, ImportPlan) and bool(plan.writes or plan.quarantined_count)


def refusals(report: ImportReport) -> list[str]:
    lines = [unquoted(note) for note in report.notes]
    if report.refusals:
        rows = [(f"{one.namespace}/{one.key}", unquoted(one.reason)) for one in report.refusals]
        lines += ["**Refused:**", table(("record", "why"), rows[:PUBLISHED_FINDINGS_MAX])]
    return lines


def _migration_headline(plan: MigrationPlan) -> str:
    return (
        f"Moves **{plan.planned:,} of {plan.total:,}** values to {plan.family} {plan.wanted}; "
        f"they grow by {size(plan.grows_bytes)}."
    )


def _migration_details(plan: MigrationPlan) -> list[str]:
    rows = [
        (
            one.kind,
            one.found or "unknown",
            _MOVES.get(one.move, one.move.value),
            f"{one.count:,}",
            size(one.size_bytes),
        )
        for one in plan.counts
    ]
    lines: list[str] = [table(("kind", "version", "what", "values", "size"), rows[:_COUNTS_SHOWN])]
    if plan.losses:
        lines += [
            "**The wanted version cannot hold all of it.** What is lost is kept beside, "
            "so that the way back restores it:",
            _counts(("field", "values"), plan.losses),
        ]
    if plan.refused:
        stays = [(f"{one.namespace}/{one.key}", unquoted(one.why)) for one in plan.refused]
        lines += ["**These stay as they are:**", table(("record", "why"), stays[:_COUNTS_SHOWN])]
    return lines


def schema_headline(plan: SchemaPlan) -> str:
    return (
        f"Moves the store from schema {plan.found} to **{plan.wanted}**, "
        f"{plan.rows:,} rows, {size(plan.size_bytes)}."
    )


def schema_details(plan: SchemaPlan) -> list[str]:
    steps = [(one.number, one.text) for one in plan.revisions]
    free = "" if plan.free_bytes is None else f" of {size(plan.free_bytes)} that are free"
    return [
        table(("revision", "what it is about"), steps),
        f"A copy of the store as it is now is kept beside it for a day; that and the rehearsal "
        f"need {size(plan.needs_bytes)}{free}.",
        "The values of older versions are planned when that is done.",
    ]


def rehearsal_lines(done: Rehearsal) -> list[str]:
    rows = [(check.name, "✓" if check.ok else "✗", _short(check.fact)) for check in done.checks]
    return [
        f"{done.rows:,} values were migrated on a restored copy of {_short(done.manifest)}, "
        f"in {to_span(done.seconds)}.",
        table(("check", "", "found"), rows),
    ]


def export_details(report: ExportReport) -> list[str]:
    lines = [f"In `{report.url}`.", _counts(("kind and version", "records"), report.counts)]
    if report.left_out:
        rows = [(unquoted(one.why), f"{one.count:,}") for one in report.left_out]
        lines += ["**Left out:**", table(("why", "records"), rows)]
    if report.losses:
        lines += ["**Not in this format:**", _counts(("field", "values"), report.losses)]
    return lines


def unquoted(reason: str) -> str:
    return _QUOTED.sub("'…'", reason)


def _short(text: str) -> str:
    """A manifest by its number: the whole name would not fit into a form."""
    return _MANIFEST.sub(r"backup \1", text)


def _counts(head: tuple[str, str], counts: Mapping[str, int]) -> str:
    rows = [(name, f"{count:,}") for name, count in counts.items()]
    return table(head, rows[:_COUNTS_SHOWN])
