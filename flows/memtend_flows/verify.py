"""The check of every byte in the store."""

from memtend.backup.report import VerifyReport
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Store
from memtend_tasks.backup import verify_store
from memtend_tasks.opened import store_address
from memtend_tasks.publish import STORE_UNHEALTHY, announce, publish_page


@memory_flow
def verify(store: Store = "default") -> VerifyReport:
    """Read every record and compare it with its hash. Changes nothing.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
    """
    address = store_address(store)
    report = verify_store(store)
    publish_page(address, "Verify report", [], report)
    if not report.ok:
        announce(STORE_UNHEALTHY, address, report.model_dump(mode="json"))
    return report
