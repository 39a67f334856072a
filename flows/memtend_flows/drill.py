"""The drill: a backup counts when it has been restored."""

from memtend.backup.drill_report import DrillReport
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Store, Target
from memtend_tasks.drill import drill_backup
from memtend_tasks.errors import DrillFailed
from memtend_tasks.figures import table
from memtend_tasks.opened import store_address
from memtend_tasks.publish import DRILL_COMPLETED, DRILL_FAILED, announce, publish_page
from memtend_tasks.sentence import sentence


@memory_flow
def drill(store: Store = "default", target: Target = "default") -> DrillReport:
    """Restore the newest backup into a scratch file and prove that it is whole.

    Every object is read and checked, a store is built and compared with the backup's sum, root and
    counts, it is verified and read as an agent reads it, and a planted fault must be noticed. The
    evidence is kept in the store, where `health` looks for it. Neither the live records nor the
    backups are touched.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        target: "default", NAME of a Secret block memtend-backup-NAME, or a URL without password.
    """
    address = store_address(store)
    report = drill_backup(store, target)
    rows = [("✓" if check.ok else "✗ FAILED", check.name, check.fact) for check in report.checks]
    evidence = table(("", "check", "what was found"), rows)
    publish_page(address, "Drill report", [sentence(report), evidence], report)
    facts = {"manifest", "rows", "rpo_seconds", "rto_seconds", "seconds"}
    payload = report.model_dump(mode="json", include=facts)
    if not report.ok:
        announce(DRILL_FAILED, address, payload)
        failed = ", ".join(check.name for check in report.checks if not check.ok)
        raise DrillFailed(store=address.label, why=failed)
    announce(DRILL_COMPLETED, address, payload)
    return report
