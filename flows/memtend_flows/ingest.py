"""The import: what an older tool remembered comes in, and what cannot be read is set aside."""

from memtend.migrate.importing import ImportReport
from memtend.model.plan import Report
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Kind, Name, Reviewed, Source, Store
from memtend_tasks.ingest import apply_import_plan, make_import_plan
from memtend_tasks.movepage import has_work, refusals
from memtend_tasks.opened import store_address
from memtend_tasks.planpage import touched
from memtend_tasks.plans import find_plan
from memtend_tasks.publish import IMPORT_COMPLETED, announce, publish_page, publish_plan
from memtend_tasks.sentence import sentence
from memtend_tasks.turn import store_turn


@memory_flow
def ingest(
    store: Store = "default",
    source: Source = "default",
    kind: Kind = Kind.DETECT,
    zone: Name = "UTC",
    allow_pickle: bool = False,
    reviewed: Reviewed = "",
    dry_run: bool = True,
) -> Report | ImportReport:
    """Bring in the memory of an older tool. Previews unless `dry_run` is false.

    The source is only ever read. Importing twice changes nothing; an item that changed in the
    source since is updated, and what somebody wrote here is never overwritten. What cannot be read
    stops nothing else: it is listed, and a copy of it is kept.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        source: A folder or file on the machine where the run executes, or "default" for
            MEMTEND_IMPORT_SOURCE there.
        kind: What it is. "detect" looks at its files.
        zone: Where times without a zone were written, such as Europe/Berlin.
        allow_pickle: Also read pickled items, by a reader that runs nothing of them.
        reviewed: The digest of a plan that you looked at: exactly that plan. Empty: a new one.
        dry_run: Show what would come in and what cannot be read, and write nothing.
    """
    address = store_address(store)
    found = find_plan(store, "import", reviewed) if reviewed else None
    named = None if kind is Kind.DETECT else kind.value
    ref = found or make_import_plan(store, source, named, zone, allow_pickle)
    plan, _ = publish_plan(address, ref)
    if dry_run or not has_work(plan):
        return Report(operation="import", applied=not dry_run, planned=touched(plan))
    with store_turn(address.label):
        report = apply_import_plan(store, source, ref)
    publish_page(address, "Import report", [sentence(report), *refusals(report)], report)
    facts = {"kind", "run", "written", "unchanged", "refused", "quarantined", "seconds"}
    announce(IMPORT_COMPLETED, address, report.model_dump(mode="json", include=facts))
    return report
