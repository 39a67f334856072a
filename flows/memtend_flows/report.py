"""The report: all that a person wants to see of a store, in one file."""

from memtend.report.facts import ReportWritten
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Store, Target
from memtend_tasks.opened import store_address
from memtend_tasks.publish import publish_link, publish_page
from memtend_tasks.report import report_link, write_report
from memtend_tasks.sentence import sentence


@memory_flow
def report(store: Store = "default", target: Target = "default") -> ReportWritten:
    """Write the report of a store as one HTML file that needs no network. Changes nothing.

    It takes the place of the last one below MEMTEND_REPORT_URL where the run executes. Where
    MEMTEND_REPORT_LINK says at which address people find that folder, the run links to it.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        target: "default", NAME of a Secret block memtend-backup-NAME, or a URL without password.
    """
    address = store_address(store)
    written = write_report(store, target)
    publish_page(address, "Report", [sentence(written), f"It is in `{written.path}`."], written)
    if link := report_link(address):
        publish_link(address, "report", link, "The report of the store")
    return written
