"""The check of every byte in the store."""

from memtend.errors import NotWhole, StoreDamaged
from memtend.limits import PUBLISHED_FINDINGS_MAX
from memtend.model.findings import StoreVerifyReport
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Store, Workers
from memtend_flows.wide import wide
from memtend_tasks.address import Address
from memtend_tasks.backup import verify_store
from memtend_tasks.figures import table
from memtend_tasks.opened import opened, store_address
from memtend_tasks.publish import (
    STORE_DAMAGED,
    STORE_UNHEALTHY,
    announce,
    progress,
    publish_page,
)
from memtend_tasks.sentence import sentence
from memtend_tasks.verify import verify_shard


@memory_flow
def verify(store: Store = "default", workers: Workers = 0) -> StoreVerifyReport:
    """Read every record and compare it with its hash. Changes nothing.

    Several processes take a part of the namespaces each, and say what one would say. That pays from
    a million records on, with a core for each.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        workers: How many processes share the work, up to 64; 0: this one does it.
    """
    address = store_address(store)
    report = (_together(store, address, workers) if workers else None) or verify_store(store)
    found = report.findings[:PUBLISHED_FINDINGS_MAX]
    rows = [(finding.where, finding.why) for finding in found]
    lines = [table(("where", "what"), rows)] if rows else []
    publish_page(address, "Verify report", [sentence(report), *lines], report)
    if not report.ok:
        for event in (STORE_DAMAGED, STORE_UNHEALTHY):
            announce(event, address, {"damage_count": report.damage_count})
        raise NotWhole(what=address.label, damage=report.damage_count)
    return report


def _together(store: str, address: Address, workers: int) -> StoreVerifyReport | None:
    """None where only one process can tell: the store was written to as they began, or is damaged
    in a way that leaves nothing to share."""
    try:
        with (
            wide(workers) as crew,
            opened(store) as services,
            services.verifying_together() as whole,
        ):
            shards = whole.shards(crew.processes)
            calls = [{"store": store, "view": whole.view, "shard": one} for one in shards]
            step_done = progress(address, "verify", len(shards) + 1)
            begun = crew.submit(verify_shard, calls)
            whole.look_at_the_rest()
            step_done("what is not cut into parts")
            return whole.report(begun.results(step_done))
    except StoreDamaged:
        return None
