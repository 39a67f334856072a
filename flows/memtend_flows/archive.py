"""The archive: values that nobody reads leave the store, and stay readable."""

from memtend.model.plan import PlanRef, Report
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Archive, Reviewed, Store, Workers
from memtend_flows.planning import plan_together
from memtend_tasks.archive import apply_archive_plan, begin_archive_plan, make_archive_plan
from memtend_tasks.opened import store_address
from memtend_tasks.plans import find_plan
from memtend_tasks.publish import publish_page, publish_plan
from memtend_tasks.sentence import sentence
from memtend_tasks.turn import store_turn


@memory_flow
def archive(
    store: Store = "default",
    archive_target: Archive = "default",
    reviewed: Reviewed = "",
    workers: Workers = 0,
    dry_run: bool = True,
) -> Report:
    """Move what is cold by the policy's rules into the archive. Previews unless `dry_run` is false.

    Archived records keep their key, labels and deadline, are found as before, and are read through
    to the archive. `recall` brings them back. A value leaves the store only when the archive's copy
    has been read back and compared.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        archive_target: "default" for MEMTEND_ARCHIVE_URL, or where that is not set for the one
            the store knows; NAME of a Secret block memtend-archive-NAME; or a URL without password.
        reviewed: The digest of a plan that you looked at: exactly that plan. Empty: a new one.
        workers: How many processes share the planning, and threads the packing, up to 64; 0: one
            does it. Processes are started from some hundred thousand records on.
        dry_run: Show what would be archived and by which rule, and move nothing.
    """
    address = store_address(store)
    found = find_plan(store, "archive", reviewed) if reviewed else None
    ref = found or _plan(store, archive_target, workers)
    publish_plan(address, ref)
    if dry_run or not ref.decisions:  # where nothing is cold, no archive is made
        return Report(operation="archive", applied=not dry_run, planned=ref.decisions)
    with store_turn(address.label):
        report = apply_archive_plan(store, archive_target, ref, workers)
    publish_page(address, "Archive report", [sentence(report), *report.notes], report)
    return report


def _plan(store: str, archive_target: str, workers: int) -> PlanRef:
    if workers:
        return plan_together(store, begin_archive_plan(store, archive_target, workers), workers)
    return make_archive_plan(store, archive_target)
