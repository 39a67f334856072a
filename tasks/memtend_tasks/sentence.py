"""What an operation did, in one sentence for people."""

from __future__ import annotations

from pydantic import BaseModel

from memtend.backup.report import BackupReport
from memtend.health.report import HealthReport, Level
from memtend.model.findings import StoreVerifyReport
from memtend.model.plan import Report
from memtend_tasks.figures import size


def sentence(report: BaseModel) -> str:
    match report:
        case Report(applied=False):
            return f"{report.planned:,} records would be deleted; nothing was"
        case Report():
            freed = size(report.bytes_freed)
            return f"{report.deleted:,} records had outlived their TTL: deleted, {freed} freed"
        case BackupReport():
            stored, raw = size(report.stored_bytes), size(report.raw_bytes)
            return f"{report.rows:,} records in {stored} ({raw} uncompressed), read back in full"
        case StoreVerifyReport():
            found = f"{report.damage_count:,} damaged" if report.damage_count else "all whole"
            return f"{report.rows:,} records compared with their hashes: {found}"
        case HealthReport():
            raised = [check.name for check in report.checks if check.level is not Level.OK]
            look = f"; look at {', '.join(raised)}" if raised else ""
            return f"{report.level}, {report.records:,} records in the store{look}"
        case _:
            return "done"
