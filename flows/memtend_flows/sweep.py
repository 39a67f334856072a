"""The sweep: records that have outlived their TTL leave the disk."""

from memtend.model.plan import Report
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Store
from memtend_tasks.opened import store_address
from memtend_tasks.publish import publish_page, publish_plan
from memtend_tasks.sentence import sentence
from memtend_tasks.sweep import apply_sweep_plan, make_sweep_plan
from memtend_tasks.turn import store_turn


@memory_flow
def sweep(store: Store = "default", dry_run: bool = True) -> Report:
    """Delete records that have outlived their TTL. Previews unless `dry_run` is false.

    What is shown is what is applied: preview and deed share one plan, pinned by its digest.
    A plan that would delete too much is refused and nothing changes.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        dry_run: Show what would be deleted, and delete nothing.
    """
    address = store_address(store)
    ref = make_sweep_plan(store)
    publish_plan(address, ref)
    if dry_run:
        return Report(operation="sweep", applied=False, planned=ref.decisions)
    with store_turn(address.label):
        report = apply_sweep_plan(store, ref)
    publish_page(address, "Sweep report", [sentence(report)], report)
    return report
