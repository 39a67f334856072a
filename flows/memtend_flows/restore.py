"""The restore: an earlier state takes the place of the live one, when somebody has said so."""

from memtend.backup.restore import RestoreReport
from memtend.backup.restore_plan import Mode, Scope
from memtend.model.plan import Report
from memtend_flows.approval import ask_for_approval
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Moment, Name, Reviewed, Store, Target
from memtend_tasks.opened import store_address
from memtend_tasks.planpage import headline, touched
from memtend_tasks.plans import find_plan
from memtend_tasks.publish import RESTORE_COMPLETED, announce, publish_page, publish_plan
from memtend_tasks.restore import apply_restore_plan, make_restore_plan
from memtend_tasks.sentence import sentence
from memtend_tasks.turn import store_turn


@memory_flow
def restore(
    store: Store = "default",
    target: Target = "default",
    to: Moment | None = None,
    manifest: Name = "",
    agent: Name = "",
    namespace: Name = "",
    key: Name = "",
    mode: Mode = Mode.REJOIN,
    reviewed: Reviewed = "",
    dry_run: bool = True,
) -> Report | RestoreReport:
    """Bring the store, or a part of it, back to an earlier state.

    Previews unless `dry_run` is false: the backup is compared with the live store. With `dry_run`
    off the run then waits until somebody has approved this plan in the form that appears on its
    page; with the digest of a reviewed plan it does not wait. A damaged backup is noticed before
    the store is touched, and the store that is replaced is kept for a day.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        target: "default", NAME of a Secret block memtend-backup-NAME, or a URL without password.
        to: The moment to go back to; None is the newest backup.
        manifest: The number or name of one backup. Empty: the newest at that moment.
        agent: Only what this agent wrote. Parts are written anew; what came since stays.
        namespace: Only this namespace; a pattern may be given, such as task/42/**.
        key: Only this key of the namespace.
        mode: What becomes of other replicas: rejoin lets them bring their newer changes back,
            reassert overrules them, everybody makes them start again from this state.
        reviewed: The digest of a plan that you looked at: exactly that plan. Empty: a new one.
        dry_run: Show what would change, and change nothing.
    """
    address = store_address(store)
    scope = Scope(agent=agent or None, namespace=namespace or None, key=key or None)
    how = mode if scope.whole or mode is Mode.EVERYBODY else None
    found = find_plan(store, "restore", reviewed) if reviewed else None
    ref = found or make_restore_plan(store, target, to, manifest, scope, how)
    plan, page = publish_plan(address, ref)
    if dry_run:
        return Report(operation="restore", applied=False, planned=touched(plan))
    note = "" if found else ask_for_approval(address, "restore", headline(plan), page)
    with store_turn(address.label):
        report = apply_restore_plan(store, target, ref)
    undo = "`memtend restore undo --apply` brings back what was replaced." if report.kept else ""
    lines = [sentence(report), undo, f"Approved: {note}" if note else "", *report.notes]
    publish_page(address, "Restore report", lines, report)
    facts = {"manifest", "mode", "rows", "lost_changes", "seconds"}
    announce(RESTORE_COMPLETED, address, report.model_dump(mode="json", include=facts))
    return report
