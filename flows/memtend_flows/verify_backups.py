"""The check of the backups: every one of them, as closely as the time allows."""

from typing import Annotated

from pydantic import Field

from memtend.backup.report import VerifyReport
from memtend.errors import NotWhole
from memtend.limits import PUBLISHED_FINDINGS_MAX
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Depth, Store, Target
from memtend_tasks.backup import verify_backup
from memtend_tasks.figures import table
from memtend_tasks.opened import store_address
from memtend_tasks.publish import STORE_DAMAGED, STORE_UNHEALTHY, announce, publish_page
from memtend_tasks.sentence import sentence


@memory_flow
def verify_backups(
    store: Store = "default",
    target: Target = "default",
    depth: Depth = Depth.DEEP,
    sample_percent: Annotated[float, Field(gt=0, le=100)] = 5,
    max_minutes: Annotated[int, Field(ge=0, le=1_440)] = 0,
    resume: bool = False,
) -> VerifyReport:
    """Check the backups in the target against their hashes and the store's catalog.

    Changes nothing. Fails, and says what is damaged, when a backup is not whole.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        target: "default", NAME of a Secret block memtend-backup-NAME, or a URL without password.
        depth: quick compares names and sizes; sample also reads a random part; deep reads all.
        sample_percent: How much of the objects a sample reads, up to 100.
        max_minutes: Read no further after this time, at most 1,440; 0 for no limit. The next run
            can go on.
        resume: Go on where the last run with a time limit ended.
    """
    address = store_address(store)
    sample = sample_percent / 100 if depth is Depth.SAMPLE else None
    report = verify_backup(
        store, target, depth is not Depth.QUICK, sample, max_minutes * 60 or None, resume
    )
    damage = [found for found in report.findings if found.damage][:PUBLISHED_FINDINGS_MAX]
    rows = [(found.kind.value, found.name, found.why) for found in damage]
    lines = [table(("damage", "object", "why"), rows)] if rows else []
    publish_page(address, "Backups report", [sentence(report), *lines, *report.notes], report)
    if not report.ok:
        for event in (STORE_DAMAGED, STORE_UNHEALTHY):
            announce(event, address, {"damaged_backup_parts": report.damage_count})
        raise NotWhole(what=f"the backups of {address.label}", damage=report.damage_count)
    return report
