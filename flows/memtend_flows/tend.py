"""The maintenance cycle: whatever keeps a store small, healthy and restorable, in one run."""

from typing import Any

from prefect import State
from pydantic import BaseModel

from memtend_flows.backup import backup
from memtend_flows.decorator import memory_flow
from memtend_flows.health import health
from memtend_flows.parameters import Store, Target
from memtend_flows.sweep import sweep
from memtend_flows.verify import verify
from memtend_tasks.errors import StepsFailed
from memtend_tasks.figures import table
from memtend_tasks.opened import store_address
from memtend_tasks.publish import publish_page
from memtend_tasks.sentence import sentence


@memory_flow
def tend(
    store: Store = "default", target: Target = "default", dry_run: bool = True
) -> dict[str, BaseModel]:
    """Sweep, back up and verify, check the store, judge its health.

    A step that fails stops none of the others: a sweep that was refused is no reason to go
    without a backup. The run fails at the end and says which steps did. `dry_run` only holds
    back what deletes: the backup is taken either way.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        target: "default", NAME of a Secret block memtend-backup-NAME, or a URL without password.
        dry_run: Show what would be deleted, and delete nothing.
    """
    steps: dict[str, State[Any]] = {
        "sweep": sweep(store, dry_run, return_state=True),
        "backup": backup(store, target, "tend", return_state=True),
        "verify": verify(store, return_state=True),
        "health": health(store, target, return_state=True),
    }
    address = store_address(store)
    failed = [name for name, state in steps.items() if not state.is_completed()]
    done = {name: state.result() for name, state in steps.items() if name not in failed}
    rows = [
        (name, str(state.name), sentence(done[name]) if name in done else str(state.message))
        for name, state in steps.items()
    ]
    publish_page(address, "Tend report", [table(("step", "state", "result"), rows)])
    if failed:
        raise StepsFailed(failed=", ".join(failed), store=address.label)
    return done
