"""The maintenance cycle: whatever keeps a store small, healthy and restorable, in one run."""

from typing import Any

from prefect import State
from pydantic import BaseModel

from memtend_flows.archive import archive
from memtend_flows.backup import backup
from memtend_flows.decorator import memory_flow
from memtend_flows.drill import drill
from memtend_flows.health import health
from memtend_flows.parameters import Archive, Store, Target
from memtend_flows.rotate import rotate
from memtend_flows.sweep import sweep
from memtend_flows.verify import verify
from memtend_tasks.errors import StepsFailed
from memtend_tasks.figures import table
from memtend_tasks.migrate import pending_migrations
from memtend_tasks.opened import store_address
from memtend_tasks.publish import publish_page
from memtend_tasks.sentence import sentence


@memory_flow
def tend(
    store: Store = "default",
    target: Target = "default",
    archive_target: Archive = "default",
    dry_run: bool = True,
) -> dict[str, BaseModel]:
    """Back up, archive, sweep, verify, drill, rotate, and judge the store's health.

    What deletes comes after what keeps: the backup before everything, the archive before the
    sweep, and old backups go only when the newest one has passed its drill in this run. A step
    that fails stops none of the others: a sweep that was refused is no reason to go without a
    drill. The run fails at the end and says which steps did. `dry_run` only holds back what moves
    and deletes: the backup is taken either way. Values of older versions are counted and named in
    the report, and left as they are: `migrate` moves them, when somebody says so.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        target: "default", NAME of a Secret block memtend-backup-NAME, or a URL without password.
        archive_target: "default" for the store's archive, or MEMTEND_ARCHIVE_URL where it has none
            yet; NAME of a Secret block memtend-archive-NAME; or a URL without password.
        dry_run: Show what would be archived, deleted and dropped, and do none of it.
    """
    steps: dict[str, State[Any]] = {
        "backup": backup(store, target, "tend", return_state=True),
        "archive": archive(store, archive_target, dry_run=dry_run, return_state=True),
        "sweep": sweep(store, dry_run, return_state=True),
        "verify": verify(store, return_state=True),
        "drill": drill(store, target, return_state=True),
        "older versions": pending_migrations(store, return_state=True),
    }
    proved = steps["backup"].is_completed() and steps["drill"].is_completed()
    keep_all = dry_run or not proved
    steps["rotate"] = rotate(store, target, dry_run=keep_all, return_state=True)
    steps["health"] = health(store, target, return_state=True)
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
