"""The check of every byte in the store."""

from memtend.errors import NotWhole
from memtend.limits import PUBLISHED_FINDINGS_MAX
from memtend.model.findings import StoreVerifyReport
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Store
from memtend_tasks.backup import verify_store
from memtend_tasks.figures import table
from memtend_tasks.opened import store_address
from memtend_tasks.publish import STORE_DAMAGED, STORE_UNHEALTHY, announce, publish_page
from memtend_tasks.sentence import sentence


@memory_flow
def verify(store: Store = "default") -> StoreVerifyReport:
    """Read every record and compare it with its hash. Changes nothing.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
    """
    address = store_address(store)
    report = verify_store(store)
    found = report.findings[:PUBLISHED_FINDINGS_MAX]
    rows = [(finding.where, finding.why) for finding in found]
    lines = [table(("where", "what"), rows)] if rows else []
    publish_page(address, "Verify report", [sentence(report), *lines], report)
    if not report.ok:
        for event in (STORE_DAMAGED, STORE_UNHEALTHY):
            announce(event, address, {"damage_count": report.damage_count})
        raise NotWhole(what=address.label, damage=report.damage_count)
    return report
