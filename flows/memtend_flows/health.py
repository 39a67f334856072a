"""The look at a store's health: score, checks, alerts, figures, and what could be saved."""

from memtend.health.report import HealthReport
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Store, Target
from memtend_tasks.alerts import check_alerts
from memtend_tasks.escaping import Markdown
from memtend_tasks.figures import table
from memtend_tasks.health import check_health, record_figures
from memtend_tasks.healthpage import alert_lines, alert_rows, health_lines, opportunity_rows
from memtend_tasks.keyfigures import key_figures
from memtend_tasks.opened import store_address
from memtend_tasks.publish import (
    STORE_UNHEALTHY,
    announce,
    publish_link,
    publish_page,
    publish_rows,
)
from memtend_tasks.report import report_link


@memory_flow
def health(
    store: Store = "default", target: Target = "default", light: bool = False
) -> HealthReport:
    """Judge the store and its backups, check the alerts, and keep the figures. Deletes nothing.

    Costs about the same for a store of any size. Alerts go to the addresses in MEMTEND_ALERT_URLS
    and out as events; what stands, and what could be saved by which command, are tables of their
    own among the artifacts.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        target: "default", NAME of a Secret block memtend-backup-NAME, or a URL without password.
        light: Leave pages only where something is wrong: for a look every few minutes.
    """
    address = store_address(store)
    report = check_health(store, target)
    alerts = check_alerts(store, target, report)
    figures = key_figures(record_figures(store, target, report))
    if not report.healthy:
        announce(STORE_UNHEALTHY, address, report.model_dump(mode="json", exclude={"at"}))
    if light and report.healthy and not alerts.standing:
        return report
    known = [Markdown("## Key figures"), table(("figure", "value"), figures)]
    lines = [*health_lines(report), *alert_lines(alerts), *known]
    publish_page(address, "Health report", lines)
    publish_rows(address, "opportunities", opportunity_rows(report.opportunities))
    publish_rows(address, "alerts", alert_rows(alerts.standing))
    if link := report_link(address):
        publish_link(address, "report", link, "The report of the store")
    return report
