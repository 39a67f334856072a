"""The way back from the archive."""

from memtend.model.plan import Report
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Archive, Pattern, Reviewed, Run, Store
from memtend_tasks.archive import apply_recall_plan, make_recall_plan
from memtend_tasks.opened import store_address
from memtend_tasks.plans import find_plan
from memtend_tasks.publish import publish_page, publish_plan
from memtend_tasks.sentence import sentence
from memtend_tasks.turn import store_turn


@memory_flow
def recall(
    store: Store = "default",
    archive_target: Archive = "default",
    records: Pattern = "**",
    run: Run = 0,
    reviewed: Reviewed = "",
    dry_run: bool = True,
) -> Report:
    """Bring archived records back into the store. Previews unless `dry_run` is false.

    Deletes nothing: the archive keeps its copies. The store grows by what comes back.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        archive_target: "default" for the store's archive; NAME of a Secret block
            memtend-archive-NAME; or a URL without password.
        records: Which: a pattern over namespace/key, such as task/42/**, or one full name.
        run: The number of an archive run, to undo all of it; 0 to go by the names above.
        reviewed: The digest of a plan that you looked at: exactly that plan. Empty: a new one.
        dry_run: Show what would come back, and write nothing.
    """
    address = store_address(store)
    found = find_plan(store, "recall", reviewed) if reviewed else None
    ref = found or make_recall_plan(store, archive_target, records, run or None)
    publish_plan(address, ref)
    if dry_run:
        return Report(operation="recall", applied=False, planned=ref.decisions)
    with store_turn(address.label):
        report = apply_recall_plan(store, archive_target, ref)
    publish_page(address, "Recall report", [sentence(report), *report.notes], report)
    return report
