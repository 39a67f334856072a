"""What an operation did, in one sentence for people.

What only flows know says its sentence where it is defined: this module does without Prefect, as
`memtend serve` does, which says what it migrated before it starts a server.
"""

from __future__ import annotations

from functools import singledispatch

from pydantic import BaseModel

from memtend.archive.report import ArchiveReport
from memtend.backup.drill_report import DrillReport
from memtend.backup.report import BackupReport, VerifyReport
from memtend.backup.restore import RestoreReport
from memtend.backup.restore_plan import Mode
from memtend.backup.rotation_plan import RotationReport
from memtend.export.report import ExportReport
from memtend.health.report import HealthReport, Level
from memtend.migrate.importing import ImportReport
from memtend.migrate.report import MigrationReport, Pending, Rehearsal
from memtend.model.findings import StoreVerifyReport
from memtend.model.plan import Report
from memtend.model.upgrade import SchemaReport
from memtend.optimize.report import OptimizeReport
from memtend.prune.report import PruneReport
from memtend.report.facts import ReportWritten
from memtend.sync.report import SyncReport
from memtend_tasks.figures import size, to_span

_WOULD = {
    "archive": ("records", "archived"),
    "import": ("items", "imported"),
    "migrate": ("values", "migrated"),
    "optimize": ("steps", "done"),
    "prune": ("records", "pruned"),
    "recall": ("records", "recalled"),
    "restore": ("records", "changed"),
    "rotate": ("backups", "dropped"),
}

_NOTHING = {
    "archive": "nothing was cold",
    "import": "there was nothing to import",
    "migrate": "every value is of the newest version",
    "optimize": "no step was worth it",
    "prune": "every record is worth its place",
}


@singledispatch
def sentence(_report: BaseModel) -> str:
    return "done"


@sentence.register
def _(report: Report) -> str:
    if not report.applied:
        what, done = _WOULD.get(report.operation, ("records", "deleted"))
        return f"{report.planned:,} {what} would be {done}; nothing was"
    if (why := _NOTHING.get(report.operation)) is not None:
        return why
    freed = size(report.bytes_freed)
    return f"{report.deleted:,} records had outlived their TTL: deleted, {freed} freed"


@sentence.register
def _(report: RotationReport) -> str:
    freed = size(report.bytes_freed)
    return f"{report.deleted:,} backups dropped, {report.kept:,} kept, {freed} freed"


@sentence.register
def _(report: ArchiveReport) -> str:
    if report.operation == "recall":
        return f"{report.written:,} records are back in the store"
    if not report.before_bytes:
        return f"nothing was archived: {report.changed_since:,} records had changed"
    after = report.stub_bytes + report.archive_bytes
    return (
        f"{report.written:,} records archived: {size(report.before_bytes)} became "
        f"{size(report.stub_bytes)} in the store and {size(report.archive_bytes)} in the archive, "
        f"{1 - after / report.before_bytes:.0%} saved"
    )


@sentence.register
def _(report: OptimizeReport) -> str:
    failed = [step.name for step in report.steps if step.error]
    steps = f"{len(report.steps) - len(failed):,} steps done, {size(report.bytes_freed)} freed"
    return f"{steps}; {', '.join(failed)} FAILED" if failed else steps


@sentence.register
def _(report: PruneReport) -> str:
    merged = f" ({report.merged:,} of them merged into others)" if report.merged else ""
    parts = [f"{report.deleted:,} records pruned{merged}"]
    parts += [f"{report.archived:,} made cold"] if report.archived else []
    parts += [f"{report.changed_since:,} had changed and stay"] if report.changed_since else []
    return ", ".join([*parts, f"{size(report.bytes_freed)} freed"])


@sentence.register
def _(report: BackupReport) -> str:
    written = size(report.written_bytes)
    if report.base is None:
        raw = size(report.raw_bytes)
        return f"{report.kind}: {report.records:,} records in {written} ({raw} uncompressed)"
    changes = f"{report.rows:,} changed records, {report.log_rows:,} entries of the change log"
    return f"{report.kind}: {changes}, in {written}; {report.records:,} records in all"


@sentence.register
def _(report: VerifyReport) -> str:
    found = f"{report.damage_count:,} damaged parts" if report.damage_count else "all whole"
    read = f"{size(report.read_bytes)} read" if report.deep else "names and sizes compared"
    return f"{report.manifests:,} backups, {report.objects:,} objects, {read}: {found}"


@sentence.register
def _(report: RestoreReport) -> str:
    if report.mode == Mode.REASSERT:
        return f"{report.written:,} records written anew, {report.unchanged:,} were as they are"
    back = f"{report.rows:,} records are back"
    if report.kept_until is None:
        return back
    return f"{back}; the store before it is kept until {report.kept_until:%Y-%m-%d %H:%M %Z}"


@sentence.register
def _(report: DrillReport) -> str:
    lost, back = to_span(report.rpo_seconds), to_span(report.rto_seconds)
    verdict = "restored and whole" if report.ok else "NOT PROVED: some checks failed"
    return f"{report.rows:,} records {verdict}; {lost} would be lost, back in {back}"


@sentence.register
def _(report: StoreVerifyReport) -> str:
    found = f"{report.damage_count:,} damaged" if report.damage_count else "all whole"
    return f"{report.rows:,} records compared with their hashes: {found}"


@sentence.register
def _(report: SyncReport) -> str:
    came, went = report.pulled, report.pushed
    parts = [f"{came.records:,} records came"] if came else []
    parts += [f"{went.records:,} records went"] if went else []
    if report.conflicts:
        parts.append(f"{report.conflicts:,} hold several concurrent values")
    if report.findings:
        parts.append(f"{len(report.findings):,} replicas could not be heard")
    return ", ".join(parts) or "nothing was asked for"


@sentence.register
def _(report: HealthReport) -> str:
    raised = [check.name for check in report.checks if check.level is not Level.OK]
    look = f"; look at {', '.join(raised)}" if raised else ""
    return f"score {report.score} of 100, {report.records:,} records in the store{look}"


@sentence.register
def _(report: ImportReport) -> str:
    counts = ((report.unchanged, "unchanged"), (report.refused, "refused"),
              (report.quarantined, "unreadable and set aside"), (report.expired, "expired"),
              (report.erased, "erased before"))  # fmt: skip
    parts = [f"{count:,} {what}" for count, what in counts if count]
    return ", ".join([f"{report.written:,} items imported", *parts])


@sentence.register
def _(pending: Pending) -> str:
    return pending.sentence()


@sentence.register
def _(report: Rehearsal) -> str:
    verdict = "and every check passed" if report.ok else "and some CHECKS FAILED"
    return f"{report.rows:,} values migrated on a restored copy, {verdict}"


@sentence.register
def _(report: MigrationReport) -> str:
    stay = f", {report.refused:,} stay as they are" if report.refused else ""
    return f"{report.written:,} values are now {report.family} {report.wanted}{stay}"


@sentence.register
def _(report: SchemaReport) -> str:
    if not report.applied:
        return f"the schema was {report.wanted} already"
    kept = f"; the store before is kept until {report.snapshot_until:%Y-%m-%d %H:%M %Z}"
    moved = f"schema {report.found} became {report.wanted} with all of {report.rows:,} rows"
    return moved + (kept if report.snapshot_until else "")


@sentence.register
def _(report: ReportWritten) -> str:
    score = "" if report.score is None else f"score {report.score} of 100, "
    alerts = "alerts unknown" if report.alerts is None else f"{report.alerts:,} alerts stand"
    return f"{score}{report.records:,} records, {alerts}"


@sentence.register
def _(report: ExportReport) -> str:
    left = sum(one.count for one in report.left_out)
    out = f", {left:,} left out" if left else ""
    return (
        f"{report.records:,} records in {report.files:,} files, {size(report.written_bytes)}{out}"
    )
