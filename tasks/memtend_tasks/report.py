"""The report: one HTML file for each store, below a folder that somebody may serve."""

from __future__ import annotations

from memtend.health.report import HealthReport
from memtend.report.facts import ReportWritten
from memtend.settings import Settings
from memtend_tasks.address import Address
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened, store_address, target_address
from memtend_tasks.place import absolute


@memory_task
def write_report(store: str, target: str, health: HealthReport | None = None) -> ReportWritten:
    """Write it in place of the last one. Costs about the same for a store of any size."""
    address = store_address(store)
    with opened(store, target) as services:
        path = f"{absolute(Settings().report_url).rstrip('/')}/{report_name(address)}"
        return services.write_report(path, target_address(target).url, health=health)


def report_name(address: Address) -> str:
    return f"{address.label}.html"


def report_link(address: Address) -> str | None:
    """Where people open the report of a store; None where nobody serves the folder."""
    base = Settings().report_link
    return None if base is None else f"{base.rstrip('/')}/{report_name(address)}"
