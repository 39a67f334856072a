"""Rotation: the backups that no rule keeps any more leave the target."""

from memtend.model.plan import Report
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Keep, Reviewed, Store, Target
from memtend_tasks.backup import list_backups
from memtend_tasks.growth import growth
from memtend_tasks.opened import store_address
from memtend_tasks.planpage import touched
from memtend_tasks.plans import find_plan
from memtend_tasks.publish import publish_page, publish_plan
from memtend_tasks.rotation import apply_rotation_plan, make_rotation_plan
from memtend_tasks.sentence import sentence
from memtend_tasks.turn import store_turn


@memory_flow
def rotate(
    store: Store = "default",
    target: Target = "default",
    keep: Keep | None = None,
    reviewed: Reviewed = "",
    dry_run: bool = True,
) -> Report:
    """Drop backups that no rule keeps, and free their space. Previews unless `dry_run` is false.

    The newest backup, pinned ones and whatever a kept backup builds on always stay. Nothing is
    dropped unless the newest backup is whole.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        target: "default", NAME of a Secret block memtend-backup-NAME, or a URL without password.
        keep: Which backups stay; None keeps what the store's policy file says.
        reviewed: The digest of a plan that you looked at: exactly that plan. Empty: a new one.
        dry_run: Show which backups would go and why, and drop none.
    """
    address = store_address(store)
    found = find_plan(store, "rotate", reviewed) if reviewed else None
    ref = found or make_rotation_plan(store, target, keep.retention() if keep else None)
    plan, _ = publish_plan(address, ref)
    if dry_run:
        return Report(operation="rotate", applied=False, planned=touched(plan))
    with store_turn(address.label):
        report = apply_rotation_plan(store, target, ref)
    lines = [sentence(report), *growth(list_backups(store, target))]
    publish_page(address, "Rotation report", lines, report)
    return report
