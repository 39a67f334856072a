"""The sync: this store and its peers come to the same state."""

from typing import Any

from prefect import State

from memtend.errors import EpochMismatch
from memtend.sync.report import SyncReport
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Peer, Store
from memtend_tasks.errors import StepsFailed
from memtend_tasks.figures import table
from memtend_tasks.opened import store_address
from memtend_tasks.publish import SYNC_ATTENTION, announce, publish_page
from memtend_tasks.sentence import sentence
from memtend_tasks.sync import list_peers, retire_silent_peers, sync_with

EVERYBODY = "all"


@memory_flow
def sync(store: Store = "default", peer: Peer = EVERYBODY) -> list[SyncReport]:
    """Take what the peers have, and give them what this store has. Nothing written is lost.

    Without registered peers it does nothing. A peer that cannot be reached holds up no other; the
    run fails at the end and says which. Whatever a person should look at (a cloned replica, a
    clock that is wrong, keys with too many concurrent values, a peer that fell silent) is on the
    page and goes out as an event.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        peer: "all"; the name of a registered peer, whose address may be in a Secret block
            memtend-peer-NAME; or a URL without password.
    """
    address = store_address(store)
    silent = retire_silent_peers(store) if peer == EVERYBODY else []
    names = list_peers(store) if peer == EVERYBODY else [peer]
    runs: dict[str, State[Any]] = {
        name: sync_with.with_options(task_run_name=f"sync with {name}")(
            store, name, return_state=True
        )
        for name in names
    }
    done = {name: state.result() for name, state in runs.items() if state.is_completed()}
    failed = [name for name in runs if name not in done]
    rows = [
        (name, str(state.name), sentence(done[name]) if name in done else str(state.message))
        for name, state in runs.items()
    ]
    notes = [f"`{one}` was silent for a week and is retired." for one in silent]
    for name, report in done.items():
        notes += [f"{name}: {what}" for what in attention(report)]
    page = table(("peer", "state", "result"), rows) if rows else "No peers are registered."
    publish_page(address, "Sync report", [page, *notes], *done.values())
    if notes or failed:
        payload = {"notes": notes, "failed": failed, "retired": silent}
        announce(SYNC_ATTENTION, address, payload)
    if failed:
        raise StepsFailed(failed=f"sync with {', '.join(failed)}", store=address.label)
    for name, report in done.items():
        if report.behind is not None:
            raise EpochMismatch(sender=name, theirs=report.behind, ours=report.epoch)
    return list(done.values())


def attention(report: SyncReport) -> list[str]:
    """What a person should look at."""
    told = [f"{one.where}: {one.why}" for one in report.findings]
    told += report.alarms
    if report.rejoined:
        told.append(f"this replica had been retired and goes on as {report.rejoined}")
    if report.behind is not None:
        told.append(f"everybody was rolled back to epoch {report.behind} without this store")
    return told
