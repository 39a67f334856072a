"""The backup: a full copy, verified before the run may call itself completed."""

from memtend.backup.report import BackupReport
from memtend.errors import NotWhole
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Store, Target, Why
from memtend_tasks.backup import take_backup, verify_backup
from memtend_tasks.opened import store_address
from memtend_tasks.publish import BACKUP_COMPLETED, announce, publish_page
from memtend_tasks.sentence import sentence
from memtend_tasks.turn import store_turn


@memory_flow
def backup(store: Store = "default", target: Target = "default", why: Why = "") -> BackupReport:
    """Back the store up in full and read the backup back. Deletes nothing.

    Writers go on meanwhile: the backup is one consistent snapshot. Until its manifest is in
    place, the target holds no new backup; an interrupted run can simply be repeated. Older
    backups in the target are read too, and damage in one of them fails the run.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        target: "default", NAME of a Secret block memtend-backup-NAME, or a URL without password.
        why: A note that is kept with the backup.
    """
    address = store_address(store)
    with store_turn(address.label):
        report = take_backup(store, target, why)
    verified = verify_backup(store, target)
    whole = report.manifest in verified.whole
    outcome = sentence(report) if whole else "**Reading it back found damage.**"
    publish_page(address, "Backup report", [outcome, *report.notes], report, verified)
    if whole:
        facts = {"manifest", "number", "rows", "stored_bytes", "seconds"}
        announce(BACKUP_COMPLETED, address, report.model_dump(mode="json", include=facts))
    if not verified.ok:
        raise NotWhole(what=f"the target of {address.label}", damage=verified.damage_count)
    return report
