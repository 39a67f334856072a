"""The look at a store's health: figures, checks, and an event when something is wrong."""

from memtend.health.report import HealthReport
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Store, Target
from memtend_tasks.figures import table
from memtend_tasks.health import check_health
from memtend_tasks.opened import store_address
from memtend_tasks.publish import STORE_UNHEALTHY, announce, publish_page
from memtend_tasks.sentence import sentence


@memory_flow
def health(store: Store = "default", target: Target = "default") -> HealthReport:
    """Check the store and the age of its backups. Changes nothing.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        target: "default", NAME of a Secret block memtend-backup-NAME, or a URL without password.
    """
    address = store_address(store)
    report = check_health(store, target)
    checks = [(check.level, check.name, check.fact, check.hint) for check in report.checks]
    page = table(("level", "check", "fact", "what to do"), checks)
    publish_page(address, "Health report", [sentence(report), page], report)
    if not report.healthy:
        announce(STORE_UNHEALTHY, address, report.model_dump(mode="json", exclude={"at"}))
    return report
