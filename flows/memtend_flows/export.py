"""The export: the store as files that other programs and people read."""

from memtend.export.plan import Format
from memtend.export.report import ExportReport
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Dest, Name, Pattern, Store
from memtend_tasks.export import write_export
from memtend_tasks.movepage import export_details
from memtend_tasks.opened import store_address
from memtend_tasks.publish import EXPORT_COMPLETED, announce, publish_page
from memtend_tasks.sentence import sentence


@memory_flow
def export(
    store: Store = "default",
    dest: Dest = "default",
    format: Format = Format.JSONL,
    pattern: Pattern = "**",
    agent: Name = "",
) -> ExportReport:
    """Write what is in the store below a folder or bucket. The store stays as it is.

    The export is the state of one moment, and gets a name of its own there, so none is ever
    written over. `memtend import` reads JSON lines and AML trees back; Parquet is for analysts.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        dest: "default" for MEMTEND_EXPORT_URL, NAME of a Secret block memtend-export-NAME, or a
            folder or bucket without password.
        format: jsonl holds everything; aml-1.2.0 and aml-2.0.0 are trees of AML items; parquet
            has one table for each kind.
        pattern: Only these namespaces, such as agent/*/patterns. ** is everything.
        agent: Only what this agent wrote. Empty: everybody.
    """
    address = store_address(store)
    report = write_export(store, dest, format, pattern, agent or None)
    publish_page(address, "Export report", [sentence(report), *export_details(report)], report)
    facts = {"format", "records", "files", "written_bytes", "seconds"}
    announce(EXPORT_COMPLETED, address, report.model_dump(mode="json", include=facts))
    return report
