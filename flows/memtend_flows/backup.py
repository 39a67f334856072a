"""The backup: what changed since the last one, found whole before the run may be completed."""

from memtend.backup.noted import parted
from memtend.backup.report import BackupReport
from memtend.errors import NotWhole
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Store, Target, Why
from memtend_tasks.backup import list_backups, take_backup, verify_backup
from memtend_tasks.growth import growth
from memtend_tasks.opened import store_address
from memtend_tasks.publish import BACKUP_COMPLETED, announce, publish_page
from memtend_tasks.sentence import sentence
from memtend_tasks.turn import store_turn


@memory_flow
def backup(
    store: Store = "default", target: Target = "default", why: Why = "", full: bool = False
) -> BackupReport:
    """Back up what changed since the last backup. Deletes nothing.

    Writers go on meanwhile: the backup is one consistent snapshot. Every object is read back when
    it is written, and until the manifest is in place there is no new backup; an interrupted run
    can simply be repeated. Afterwards all backups are checked for missing and cut-off objects, and
    damage in an older one fails the run; `verify_backups` reads their contents too.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        target: "default", NAME of a Secret block memtend-backup-NAME, or a URL without password.
        why: A note that is kept with the backup.
        full: Take everything, not only what changed. It happens by itself where it is needed.
    """
    address = store_address(store)
    with store_turn(address.label):
        report = take_backup(store, target, why, full)
    verified = verify_backup(store, target, deep=False)
    whole = report.manifest in verified.whole
    outcome = sentence(report) if whole else "**Checking it found damage.**"
    lines = [outcome, *report.notes, *growth(list_backups(store, target))]
    shown = report.model_copy(update={"why": parted(report.why)[0]})
    publish_page(address, "Backup report", lines, shown, verified)
    if whole:
        facts = {"manifest", "number", "kind", "records", "written_bytes", "seconds"}
        announce(BACKUP_COMPLETED, address, report.model_dump(mode="json", include=facts))
    if not verified.ok:
        raise NotWhole(what=f"the target of {address.label}", damage=verified.damage_count)
    return report
